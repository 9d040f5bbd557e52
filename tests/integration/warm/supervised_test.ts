/** Monitors are started by the front; and what may take for ever goes on without the brain. */

import { assertEquals } from "@std/assert";
import { Bundle, idle } from "../../support/bundle.ts";
import { tell } from "../../support/cold.ts";
import { parentOf, runtimeTest } from "../../support/host.ts";
import { RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { WarmBrain } from "../../support/warm.ts";

const WARM = { code: 0, stdout: "", stderr: "", cold: false };

runtimeTest("a supervised container outlives front and brain", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = new Bundle(idle);
  const id = runtime.id();
  const call = (...args: string[]) => tell(["--root", runtime.root, ...args], brain.words);
  const line = ["run", "--detach", "--supervised", "--bundle", bundle.path, id];
  assertEquals(await call(...line), WARM);
  const { pid } = await runtime.state(id);
  const monitor = parentOf(pid)!;
  assertEquals(Deno.readTextFileSync(`/proc/${monitor}/comm`), "runts-monitor\n");
  assertEquals(parentOf(monitor) === brain.pid, false);
  const session = Deno.readTextFileSync(`/proc/${monitor}/stat`).split(" ")[5];
  assertEquals(session, `${monitor}`);
  brain.kill("SIGTERM");
  assertEquals(await brain.end(), { code: 0, stderr: "" });
  assertEquals((await runtime.state(id)).status, "running");
  await runtime.ok(["stop", "--timeout", "10ms", id]);
  assertEquals(await runtime.ok(["wait", id]), "137\n");
  await runtime.ok(["delete", "--force", id]);
});

runtimeTest("events and wait begin anew when the brain ends", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--supervised", "--bundle", bundle.path, id]);
  const begin = (...args: string[]) =>
    new Deno.Command(RUNTIME, {
      args: ["--root", runtime.root, ...args],
      env: { ...brain.env },
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
    }).spawn();
  const all = [begin("wait", id), begin("events", "--interval", "1h", id)];
  await until("both are at work", async () => await brain.atWork() === 2);
  brain.kill("SIGTERM");
  assertEquals(await brain.end(), { code: 0, stderr: "" });
  await runtime.ok(["stop", "--timeout", "10ms", id]);
  const found = await Promise.all(all.map((one) => one.output()));
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(found.map(({ code, stdout, stderr }) => [code, text(stdout), text(stderr)]), [
    [0, "137\n", ""],
    [0, "", ""],
  ]);
  await runtime.ok(["delete", "--force", id]);
});
