/** What a brain prints by its front: on terminals, to whoever has gone, to both streams. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Bundle, idle } from "../../support/bundle.ts";
import { tell } from "../../support/cold.ts";
import { runtimeTest } from "../../support/host.ts";
import { command, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";
import { Session } from "../../support/session.ts";
import { WarmBrain } from "../../support/warm.ts";

/** One line up, and clear from there (console_codes(4)). */
const OVERWRITE = "\x1b[1A\x1b[J";

runtimeTest("statistics on a terminal are refreshed in place", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  const words = ["--root", runtime.root, "events", "--format", "line", "--interval", "10ms", id];
  await using session = await Session.start(["env", ...brain.words, RUNTIME, ...words]);
  await session.shows(OVERWRITE);
  assertEquals(await brain.atWork(), 1);
  await runtime.ok(["delete", "--force", id]);
  assertEquals(await session.end(), 0);
  assertEquals([session.mode(), session.errors], [session.modeBefore, ""]);
});

runtimeTest("what prints for nobody ends", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  const script = '"$@" | head -n 1; echo "${PIPESTATUS[0]}"';
  const line = [RUNTIME, "--root", runtime.root, "events", "--interval", "5ms", id];
  const { stdout, stderr } = await command(["bash", "-c", script, "bash", ...line], {
    env: brain.env,
  });
  assertEquals({ code: stdout.split("\n").at(-2), stderr }, { code: "141", stderr: "" });
  assertStringIncludes(stdout, `"id":"${id}"`);
  assertEquals(await brain.done(), 1);
  await runtime.ok(["delete", "--force", id]);
});

runtimeTest("the last lines of a log go to both streams", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = new Bundle((config) => {
    config.process.args = ["sh", "-c", "echo one; echo two >&2; echo three"];
  });
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--supervised", "--bundle", bundle.path, id]);
  assertEquals(await runtime.ok(["wait", id]), "0\n");
  const logs = (...args: string[]) =>
    tell(["--root", runtime.root, "logs", ...args, id], brain.words);
  const said = { code: 0, stdout: "one\nthree\n", stderr: "two\n" };
  assertEquals(await logs("--tail", "1000"), { ...said, cold: false });
  assertEquals(await logs("--tail", "1001"), { ...said, cold: true });
  assertEquals(await logs(), { ...said, cold: true });
  await runtime.ok(["delete", "--force", id]);
});
