/** runts killed by SIGKILL in the middle of a command: what is left can be listed and deleted. */

import { assert, assertEquals } from "@std/assert";
import { Bundle, idle } from "../../support/bundle.ts";
import { hasProcesses, runtimeTest } from "../../support/host.ts";
import { killAfter } from "../../support/killed.ts";
import { RUNTS_ONLY, until } from "../../support/runtime.ts";

runtimeTest(
  "create killed at any moment leaves what delete --force removes",
  RUNTS_ONLY,
  async (runtime) => {
    using bundle = new Bundle(idle);
    for (let delay = 0; delay <= 60; delay += 2) {
      const id = runtime.id();
      await killAfter(runtime, ["create", "--bundle", bundle.path, id], delay);
      const rows = JSON.parse(await runtime.ok(["list", "--format", "json"])) ?? [];
      for (const row of rows) {
        assertEquals(row.id, id);
        assert(["created", "stopped"].includes(row.status), row.status);
      }
      await runtime.ok(["delete", "--force", id]);
      await until("nobody is left", () => !hasProcesses(bundle));
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    }
  },
);

runtimeTest(
  "start killed at any moment leaves what delete --force removes",
  RUNTS_ONLY,
  async (runtime) => {
    using bundle = new Bundle(idle);
    for (let delay = 0; delay <= 30; delay += 3) {
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      await killAfter(runtime, ["start", id], delay);
      const { status } = await runtime.state(id);
      assert(["created", "running"].includes(status), status);
      await runtime.ok(["delete", "--force", id]);
    }
  },
);

function replaceByFifo(path: string): void {
  const { success } = new Deno.Command("sh", {
    args: ["-c", 'rm -f "$0" && mkfifo "$0"', path],
  }).outputSync();
  assert(success, path);
}

function replaceByDirectory(path: string): void {
  Deno.removeSync(path);
  Deno.mkdirSync(`${path}/inside`, { recursive: true });
}

runtimeTest(
  "a damaged state directory is listed and can be deleted",
  RUNTS_ONLY,
  async (runtime) => {
    using bundle = new Bundle(idle);
    const sound = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, sound]);
    const damages: [string, (path: string) => void][] = [
      ["empty", (path) => Deno.writeTextFileSync(`${path}/status`, "")],
      ["truncated", (path) => Deno.truncateSync(`${path}/status`, 20)],
      ["no status", (path) => Deno.removeSync(`${path}/status`)],
      ["a field missing", (path) => Deno.writeTextFileSync(`${path}/status`, '{"pid":1}')],
      ["no config", (path) => Deno.removeSync(`${path}/config.json`)],
      ["a fifo", (path) => replaceByFifo(`${path}/status`)],
      ["an intent that is a fifo", (path) => {
        Deno.removeSync(`${path}/status`);
        replaceByFifo(`${path}/creating`);
      }],
      ["a config that is a fifo", (path) => replaceByFifo(`${path}/config.json`)],
      ["a directory", (path) => replaceByDirectory(`${path}/status`)],
      ["a lock that is a directory", (path) => replaceByDirectory(`${path}/lock`)],
    ];
    for (const [what, damage] of damages) {
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      await runtime.ok(["kill", id, "KILL"]);
      await runtime.untilStopped(id);
      damage(`${runtime.root}/${id}`);
      const rows = JSON.parse(await runtime.ok(["list", "--format", "json"]));
      assertEquals(rows.map((row: { id: string }) => row.id).sort(), [sound, id].sort(), what);
      await runtime.ok(["delete", "--force", id]);
    }
    assertEquals((await runtime.state(sound)).status, "running");
    await runtime.ok(["delete", "--force", sound]);
  },
);

runtimeTest(
  "a container of an earlier boot is stopped and can be deleted",
  RUNTS_ONLY,
  async (runtime) => {
    using bundle = new Bundle(idle);
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const file = `${runtime.root}/${id}/status`;
    const status = Deno.readTextFileSync(file);
    Deno.writeTextFileSync(file, status.replace(/"boot-id": "[^"]*"/, '"boot-id": "another"'));
    assertEquals((await runtime.state(id)).status, "stopped");
    const { stderr } = await runtime.run(["start", id]);
    assertEquals(stderr, `runts: start "${id}": cannot start a container that has stopped\n`);
    Deno.writeTextFileSync(file, status);
    await runtime.ok(["delete", "--force", id]);
  },
);
