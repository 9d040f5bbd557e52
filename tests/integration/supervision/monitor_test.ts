/** A monitor and small programs below it: starting, ends and their records, and its own end. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { LocalBody } from "../../../lib/body/local.ts";
import { MonitorBody } from "../../../lib/body/monitor.ts";
import { isRunning } from "../../support/host.ts";
import { Watched } from "../../support/monitor.ts";
import { until } from "../../support/runtime.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;

/** Fields of /proc/PID/stat from the state on. */
async function stat(pid: number): Promise<string[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

Deno.test("a monitor is in a session of its own, and has nothing of its starter's", async () => {
  await using watched = await Watched.start();
  const { pid } = watched;
  assertEquals(await watched.monitor.hello(), {
    version: 1,
    pid,
    buildId: watched.helper.buildId,
  });
  const [, parent, group, session] = await stat(pid);
  assertEquals([group, session], [String(pid), String(pid)]);
  assert(parent !== String(Deno.pid));
  assertEquals(await Deno.readTextFile(`/proc/${pid}/comm`), "runts-monitor\n");
  const shown = (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
  assertEquals([shown[0], shown.at(-2)], ["runts-monitor", watched.folder]);
  assertEquals(await Deno.readLink(`/proc/${pid}/cwd`), "/");
  const open = [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) =>
    Deno.readLinkSync(`/proc/${pid}/fd/${name}`).replace(/\d+/g, "N")
  );
  assertEquals(open.sort(), [
    ...["/dev/null", "/dev/null", "/dev/null", "/dev/null"],
    ...["anon_inode:[eventpoll]", "anon_inode:[signalfd]", "socket:[N]", "socket:[N]"],
  ]);
});

Deno.test("the end of a process is recorded, and its fifo ends", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: "exit 3" });
  const { at, ...record } = await watched.ended(started);
  assertMatch(at, TIME);
  assertEquals(record, { pid: started.pid, code: 3, signal: 0, core: false, oom: false });
  assertEquals([...Deno.readDirSync(started.folder)].map(({ name }) => name).sort(), [
    "control",
    "exit.json",
  ]);
});

Deno.test("a process that was killed has the signal, and 128 more as its code", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: "exec sleep 1000" });
  watched.kill(started);
  const { code, signal } = await watched.ended(started);
  assertEquals({ code, signal }, { code: 137, signal: 9 });
});

Deno.test("an end that came before it was watched is recorded at once", async () => {
  await using watched = await Watched.start();
  const started = await watched.spawn({ script: "echo early; exit 4" });
  assert(await watched.helper.awaitExit(started.pidfd));
  await watched.watch(started);
  assertEquals((await watched.ended(started)).code, 4);
  assertEquals((await watched.logged()).slice(31), "stdout F early\n");
});

Deno.test("output is in the log before the end is told", async () => {
  await using watched = await Watched.start();
  await watched.ended(await watched.run({ script: "echo one; echo two >&2; printf three" }));
  const lines = (await watched.logged()).split("\n");
  assertEquals(lines.map((line) => line.slice(31)).sort(), [
    "",
    "stderr F two",
    "stdout F one",
    "stdout P three",
  ]);
  for (const line of lines.slice(0, -1)) assertMatch(line.slice(0, 30), TIME);
});

Deno.test("the ending of any child can be asked for", async () => {
  await using watched = await Watched.start();
  const { pid, pidfd } = await watched.spawn({ script: "read line", stdio: INPUT });
  await assertRejects(
    () => watched.monitor.ending(pid),
    RuntsError,
    `learn how process ${pid} ended: EAGAIN (resource temporarily unavailable)`,
  );
  watched.helper.sendSignal(pidfd, 15);
  assert(await watched.helper.awaitExit(pidfd));
  assertEquals(await watched.monitor.ending(pid), { code: 0, signal: 15, core: false });
  await assertRejects(
    () => watched.monitor.ending(Deno.pid),
    RuntsError,
    `learn how process ${Deno.pid} ended: ESRCH (no such process)`,
  );
});

const INPUT = { kind: "pipes", input: true } as const;

Deno.test("as the body, a monitor waits for its child and has what that has open", async () => {
  await using watched = await Watched.start();
  const process = { name: "none", streams: "output", umask: 0o22 } as const;
  const body = new MonitorBody(new LocalBody(watched.helper), watched.monitor, process);
  const child = await watched.spawn({ script: "read line; exit 9", stdio: INPUT });
  const input = await body.fetchDescriptor(child, 0);
  assertMatch(Deno.readLinkSync(`/proc/self/fd/${input}`), /^pipe:/);
  watched.helper.close(input);
  const ending = body.awaitEnd(child);
  assertEquals(await body.reap(child), undefined);
  await watched.monitor.closeStdin("init");
  assertEquals(await ending, { code: 9, signal: 0, core: false });
  assertEquals(await body.awaitEnd(child), { code: 9, signal: 0, core: false });
  const other = { pid: Deno.pid, pidfd: child.pidfd };
  assertEquals(await body.awaitEnd(other), undefined);
});

Deno.test("ends are told to whoever has subscribed, and those that were before", async () => {
  await using watched = await Watched.start();
  await watched.ended(await watched.run({ script: "exit 1" }));
  using other = await watched.connect();
  assertEquals(await other.subscribe(0n), { oldest: 1n, newest: 1n });
  const first = await other.nextEnd();
  assertEquals([first.number, first.name, first.code, first.signal], [1n, "init", 1, 0]);
  const started = await watched.run({ name: "exec", script: "kill -KILL $$" });
  const second = await other.nextEnd();
  assertEquals([second.number, second.name, second.code, second.signal], [2n, "exec", 137, 9]);
  const record = await watched.ended(started);
  assertEquals(new Date(record.at).getTime(), Number(second.time / 1_000_000n));
  using third = await watched.connect();
  assertEquals(await third.subscribe(1n), { oldest: 1n, newest: 2n });
  assertEquals((await third.nextEnd()).number, 2n);
});

Deno.test("the newest ends are kept, and the reply tells which", async () => {
  await using watched = await Watched.start();
  for (let i = 0; i < 70; i++) {
    await watched.run({ name: `exec${i}`, script: `exit ${i}`, log: { driver: "none" } });
  }
  using other = await watched.connect();
  await until("all have ended", async () => (await other.status()).processes === 0);
  assertEquals(await other.subscribe(0n), { oldest: 7n, newest: 70n });
  for (let number = 7n; number <= 70n; number++) {
    assertEquals((await other.nextEnd()).number, number);
  }
});

Deno.test("a name is free again when its process has ended", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: "exec sleep 1000" });
  await assertRejects(
    () => watched.spawn({ script: "exit" }),
    RuntsError,
    "start init: EEXIST (file exists)",
  );
  watched.kill(started);
  await watched.ended(started);
  assertEquals((await watched.ended(await watched.run({ script: "exit 5" }))).code, 5);
});

Deno.test("only a child is watched, and it once", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: "exec sleep 1000" });
  await assertRejects(
    () => watched.watch(started),
    RuntsError,
    `watch process ${started.pid}: EBUSY (device or resource busy)`,
  );
  const other = await watched.spawn({ name: "other", script: "exec sleep 1000" });
  await assertRejects(
    () => watched.watch({ ...other, pid: Deno.pid }),
    RuntsError,
    `watch process ${Deno.pid}: ESRCH (no such process)`,
  );
  await assertRejects(
    () => watched.watch({ ...other, pid: started.pid }),
    RuntsError,
    `watch process ${started.pid}: EBUSY (device or resource busy)`,
  );
  await assertRejects(
    () => watched.watch({ ...other, name: "third" }),
    RuntsError,
    `watch process ${other.pid}: ENOENT (no such file or directory)`,
  );
});

Deno.test("what was not watched when its brain went is forgotten", async () => {
  await using watched = await Watched.start();
  const other = await watched.connect();
  const started = await watched.spawn({ script: "exec sleep 1000" });
  await assertRejects(
    () => watched.spawn({ script: "exit" }),
    RuntsError,
    "start init: EEXIST (file exists)",
  );
  watched.monitor[Symbol.dispose]();
  await until("one connection is left", async () => (await other.status()).connections === 1);
  await assertRejects(
    () => other.reopenLog("init"),
    RuntsError,
    'reopen the log of "init": ENOENT (no such file or directory)',
  );
  assert(isRunning(started.pid));
  other[Symbol.dispose]();
});

Deno.test("orphans become the monitor's, and are reaped", async () => {
  await using watched = await Watched.start();
  const script = "for i in 1 2 3 4 5; do (sh -c 'sleep 0.0$1' sh $i &) ; done; exec sleep 1000";
  const started = await watched.run({ script });
  await until("the last orphan is reaped", () => {
    return watched.children().join() === String(started.pid);
  });
});

Deno.test("the end is not held up by what still writes to its streams", async () => {
  await using watched = await Watched.start();
  const script = "(read line <&9; echo late; read line <&9; echo later) 9<$0 & echo first";
  const [reading, writing] = watched.helper.pipe();
  const started = await watched.run({
    script: script.replaceAll("<&9", "<&3").replace(" 9<$0", ""),
    preserved: [reading],
  });
  watched.helper.close(reading);
  assertEquals((await watched.ended(started)).code, 0);
  assertEquals((await watched.logged()).slice(31), "stdout F first\n");
  watched.helper.write(writing, new TextEncoder().encode("go\n"));
  await until("the grandchild's line is there", async () => {
    return (await watched.logged()).endsWith("stdout F late\n");
  });
  watched.helper.write(writing, new TextEncoder().encode("go\n"));
  await until("its last one is", async () => (await watched.logged()).endsWith("F later\n"));
  watched.helper.close(writing);
});

Deno.test("a grandchild that never stops writing does not hold the end up", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: "yes &", log: { driver: "none" } });
  assertEquals((await watched.ended(started)).code, 0);
  assertEquals(watched.children().length, 1);
});

Deno.test("a monitor that is to leave stays for its children", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: "exec sleep 1000" });
  await watched.monitor.leave();
  assert(isRunning(watched.pid));
  watched.kill(started);
  await watched.gone();
  assertEquals((await watched.ended(started)).code, 137);
});

Deno.test("SIGTERM lets a monitor leave, and others do not", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: "read line; exit 6", stdio: INPUT });
  const pidfd = watched.helper.openPidfd(watched.pid);
  for (const signal of [1, 2, 3, 13, 15]) watched.helper.sendSignal(pidfd, signal);
  watched.helper.close(pidfd);
  await watched.monitor.closeStdin("init");
  assertEquals((await watched.ended(started)).code, 6);
  await watched.gone();
});

Deno.test("a monitor ends by itself when it has nothing to do", async () => {
  await using watched = await Watched.start({ idleMs: 50 });
  const started = await watched.run({ script: "read line", stdio: INPUT });
  watched.monitor[Symbol.dispose]();
  const again = await watched.connect();
  const before = performance.now();
  await again.closeStdin("init");
  await watched.ended(started);
  again[Symbol.dispose]();
  await watched.gone();
  assert(performance.now() - before >= 50);
});

Deno.test("nobody watches a monitor: the process goes on, its end is not recorded", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: "trap '' PIPE; read line; exit 0", stdio: INPUT });
  const pidfd = watched.helper.openPidfd(watched.pid);
  watched.helper.sendSignal(pidfd, 9);
  watched.helper.close(pidfd);
  await watched.gone();
  await assertRejects(() => watched.monitor.status(), RuntsError, "EPIPE (broken pipe)");
  await assertRejects(() => watched.connect(), RuntsError, "ECONNREFUSED (connection refused)");
  await until("it has ended, for its input has", () => watched.helper.exited(started.pidfd));
  await assertRejects(() => Deno.stat(`${started.folder}/exit.json`), Deno.errors.NotFound);
});

Deno.test("the kills for want of memory are counted while it is watched", async () => {
  await using watched = await Watched.start();
  const file = `${watched.folder}/memory.events`;
  for (
    const [name, script, later, oom] of [
      ["grew", "kill -KILL $$", "oom 2\noom_kill 4\n", true],
      ["code", "exit 137", "oom 2\noom_kill 4\n", true],
      ["same", "kill -KILL $$", "oom 1\noom_kill 3\n", false],
      ["other", "exit 1", "oom 2\noom_kill 4\n", false],
    ] as const
  ) {
    await Deno.writeTextFile(file, "oom 1\noom_kill 3\n");
    const fd = watched.helper.open(file, 0);
    const stdio = INPUT;
    const started = await watched.run({ name, script: `read line; ${script}`, stdio, oom: fd });
    watched.helper.close(fd);
    await Deno.writeTextFile(file, later);
    await watched.monitor.closeStdin(name);
    assertEquals([name, (await watched.ended(started)).oom], [name, oom]);
  }
});
