/** Monitors and brains that are killed, other boots, and records that are damaged. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { isRunning } from "../../support/host.ts";
import { until } from "../../support/runtime.ts";
import {
  eventTypes,
  monitorsOf,
  record,
  runScript,
  supervisionTest,
} from "../../support/supervised.ts";

const LOST = "it has ended, and how is lost: its monitor had ended before it did";

/** The row of a container for people. */
async function row(runtime: { ok(words: string[]): Promise<string> }): Promise<string> {
  return (await runtime.ok(["list"])).split("\n")[1]!;
}

supervisionTest(
  "without its monitor a container goes on, and its end is lost",
  async (runtime, bundle) => {
    const id = await runScript(runtime, bundle, "sleep 1000");
    const { pid } = await runtime.state(id);
    const [monitor] = monitorsOf(runtime);
    Deno.kill(monitor!, "SIGKILL");
    await until("it is gone", () => !isRunning(monitor!));
    assertEquals((await runtime.state(id)).status, "running");
    assertMatch(await row(runtime), new RegExp(`^${id} +${pid} +running, no monitor +0 `));
    const followed = runtime.run(["logs", "--follow", id]);
    const waiting = runtime.run(["wait", id]);
    Deno.kill(pid, "SIGKILL");
    const { code, stdout, stderr } = await waiting;
    const message = `runts: wait "${id}": ${LOST}\n`;
    assertEquals({ code, stdout, stderr }, { code: 1, stdout: "", stderr: message });
    assertEquals((await followed).code, 0);
    assertMatch(await row(runtime), new RegExp(`^${id} +0 +stopped +lost +0 `));
    const [entry] = JSON.parse(await runtime.ok(["list", "--format", "json"]));
    assertEquals([entry.supervision.lost, entry.supervision.exitCode], [true, undefined]);
    await runtime.ok(["delete", id]);
    assertEquals(eventTypes(runtime, id), ["created", "started", "lost", "removed"]);
  },
);

supervisionTest("whoever follows events is told of what is lost", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000");
  const words = ["--root", runtime.root, "events", "--follow", "--since", "0", id];
  const follower = new Deno.Command(runtime.executable, { args: words, stdout: "piped" }).spawn();
  const { pid } = await runtime.state(id);
  Deno.kill(monitorsOf(runtime)[0]!, "SIGKILL");
  Deno.kill(pid, "SIGKILL");
  let told = "";
  for await (const chunk of follower.stdout.pipeThrough(new TextDecoderStream())) {
    told += chunk;
    if (told.includes('"lost"') && !told.includes('"removed"')) await runtime.ok(["delete", id]);
    if (told.includes('"removed"')) break;
  }
  follower.kill("SIGTERM");
  await follower.status;
  const types = (text: string) =>
    text.trimEnd().split("\n").map((line) => JSON.parse(line).type).join(" ");
  assertEquals(types(told), "created started lost removed");
  assertEquals(types(await runtime.ok(["events", "--since", "1", id])), "started lost removed");
});

supervisionTest("killed together with its monitor, it is lost", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000");
  const { pid } = await runtime.state(id);
  Deno.kill(monitorsOf(runtime)[0]!, "SIGKILL");
  Deno.kill(pid, "SIGKILL");
  const { code, stderr } = await runtime.run(["wait", id]);
  assertEquals({ code, stderr }, { code: 1, stderr: `runts: wait "${id}": ${LOST}\n` });
  assertMatch(await row(runtime), / stopped +lost +0 /);
  await runtime.ok(["delete", id]);
});

supervisionTest("a restart policy holds for an end that is lost", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000", "--restart", "on-failure:1");
  const { pid } = await runtime.state(id);
  Deno.kill(monitorsOf(runtime)[0]!, "SIGKILL");
  Deno.kill(pid, "SIGKILL");
  await until("it is gone", () => !isRunning(pid));
  await runtime.ok(["settle", id]);
  const now = await runtime.state(id);
  assertEquals(now.status, "running");
  assert(now.pid !== pid);
  assertEquals(monitorsOf(runtime).length, 1);
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest(
  "of another boot everything is lost, and nobody is signalled",
  async (runtime, bundle) => {
    const id = await runScript(runtime, bundle, "exit 0");
    await runtime.ok(["wait", id]);
    const bystander = new Deno.Command("sleep", { args: ["1000"] }).spawn();
    const fields = Deno.readTextFileSync(`/proc/${bystander.pid}/stat`).split(" ");
    const name = { pid: bystander.pid, startTime: Number(fields[21]), bootId: "another" };
    const directory = `${runtime.root}/${id}`;
    const edit = (file: string, change: Record<string, unknown>) =>
      Deno.writeTextFileSync(
        `${directory}/${file}`,
        JSON.stringify({ ...record(runtime, id, file), ...change }),
      );
    const supervised = record(runtime, id, "supervised.json");
    const monitor = { ...supervised.monitor };
    const status = record(runtime, id, "status");
    edit("supervised.json", { monitor: { ...monitor, ...name }, lastEnd: undefined });
    edit("processes/init/process.json", name);
    edit("status", { "pid": name.pid, "process-start-time": name.startTime, "boot-id": "another" });
    Deno.removeSync(`${directory}/processes/init/exit.json`);
    assertEquals((await runtime.run(["wait", id])).stderr, `runts: wait "${id}": ${LOST}\n`);
    assertMatch(await row(runtime), / stopped +lost +0 /);
    await runtime.ok(["stop", id]);
    // So that the test leaves nothing behind.
    edit("supervised.json", { monitor });
    edit("status", status);
    await runtime.ok(["delete", "--force", id]);
    assert(isRunning(bystander.pid));
    bystander.kill("SIGKILL");
    await bystander.status;
  },
);

supervisionTest(
  "records that are half written are named, and survived",
  async (runtime, bundle) => {
    for (
      const file of ["processes/init/exit.json", "processes/init/process.json", "supervised.json"]
    ) {
      const id = await runScript(runtime, bundle, "exit 5");
      await runtime.ok(["wait", id]);
      const path = `${runtime.root}/${id}/${file}`;
      Deno.truncateSync(path, 9);
      const message = `read record ${JSON.stringify(path)}: it is not JSON`;
      const listed = await runtime.run(["list"]);
      assert(listed.stderr.includes(message), `${file}: ${listed.stderr}`);
      assertEquals([listed.code, listed.stdout.split("\n").length], [0, 3]);
      const inspected = await runtime.run(["inspect", id]);
      assert(inspected.stderr.includes(message), `${file}: ${inspected.stderr}`);
      assertEquals((await runtime.run(["delete", "--force", id])).code, 0);
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    }
  },
);
