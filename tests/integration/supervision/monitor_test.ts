/** A monitor and small programs below it: starting, ends, records. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { Watched } from "../../support/monitor.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;

Deno.test("a monitor tells who it is", async () => {
  await using watched = await Watched.start();
  assertEquals(await watched.monitor.hello(), {
    version: 1,
    pid: watched.pid,
    buildId: watched.helper.buildId,
  });
  const stat = await Deno.readTextFile(`/proc/${watched.pid}/stat`);
  const [, , , group, session] = stat.slice(stat.indexOf("(")).split(" ");
  assertEquals([stat.split(" ")[1], group, session], [
    "(runts-monitor)",
    String(watched.pid),
    String(watched.pid),
  ]);
  for (const fd of [0, 1, 2]) {
    assertEquals(await Deno.readLink(`/proc/${watched.pid}/fd/${fd}`), "/dev/null");
  }
});

Deno.test("the end of a process is recorded, and its fifo ends", async () => {
  await using watched = await Watched.start();
  const { at, ...record } = await watched.ended(await watched.run({ script: "exit 3" }));
  assertMatch(String(at), TIME);
  const { pid, ...rest } = record;
  assert(Number(pid) > 1);
  assertEquals(rest, { code: 3, signal: 0, core: false, oom: false });
});

Deno.test("output is in the log before the end is told", async () => {
  await using watched = await Watched.start();
  await watched.ended(await watched.run({ script: "echo one; echo two >&2; printf three" }));
  const lines = (await Deno.readTextFile(`${watched.folder}/log`)).split("\n");
  assertEquals(lines.map((line) => line.slice(31)).sort(), [
    "",
    "stderr F two",
    "stdout F one",
    "stdout P three",
  ]);
  for (const line of lines.slice(0, -1)) assertMatch(line.slice(0, 30), TIME);
});

Deno.test("the ending of a child that is not watched can be asked for", async () => {
  await using watched = await Watched.start();
  const { pid, pidfd } = await watched.spawn({ script: "kill -TERM $$" });
  assert(await watched.helper.awaitExit(pidfd));
  assertEquals(await watched.monitor.ending(pid), { code: 0, signal: 15, core: false });
  await assertRejects(
    () => watched.monitor.ending(Deno.pid),
    RuntsError,
    `learn how process ${Deno.pid} ended: ESRCH (no such process)`,
  );
});

Deno.test("ends are told to whoever has subscribed, and those that were before", async () => {
  await using watched = await Watched.start();
  await watched.ended(await watched.run({ script: "exit 1" }));
  using other = await watched.connect();
  assertEquals(await other.subscribe(0n), { oldest: 1n, newest: 1n });
  const first = await other.nextEnd();
  assertEquals([first.number, first.name, first.code, first.signal], [1n, "init", 1, 0]);
  await watched.run({ name: "exec", script: "kill -KILL $$" });
  const second = await other.nextEnd();
  assertEquals([second.number, second.name, second.code, second.signal], [2n, "exec", 137, 9]);
});
