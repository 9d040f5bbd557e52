/** The command that a monitor runs on ends of init, and when it is to wake somebody. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { monitorCalls } from "../../../ffi/monitor.ts";
import { encodeRequest, Operation } from "../../../lib/wire/body.ts";
import { isRunning } from "../../support/host.ts";
import { Watched } from "../../support/monitor.ts";
import { until } from "../../support/runtime.ts";

const NO_LOG = { driver: "none" } as const;

/** A line for sh, run in the folder. */
function commandOf(watched: Watched, script: string) {
  return {
    path: "/bin/sh",
    args: ["sh", "-c", script, "sh", "an argument", ""],
    env: ["PATH=/bin:/usr/bin", "A=1"],
    directory: watched.folder,
  };
}

const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

Deno.test("the command runs on the end of init, after its record is there", async () => {
  await using watched = await Watched.start();
  const script = `cat processes/init/exit.json >record
    { printf '<%s>' "$@"; env | sort; pwd; umask; ulimit -Sn; readlink /proc/$$/fd/[012]; } >seen
    ls /proc/$$/fd >fds; cut -d' ' -f1,6 /proc/$$/stat >session; mv seen done`;
  await watched.monitor.command(commandOf(watched, script));
  await watched.ended(await watched.run({ name: "exec", script: "exit 1", log: NO_LOG }));
  await watched.ended(await watched.run({ script: "exit 2", log: NO_LOG }));
  const [path, record] = [`${watched.folder}/done`, `${watched.folder}/record`];
  await until("it has run", () => isThere(path));
  assertEquals(JSON.parse(await Deno.readTextFile(record)).code, 2);
  const soft = /^Max open files +(\d+)/m.exec(await Deno.readTextFile("/proc/self/limits"))![1];
  const seen = (await Deno.readTextFile(path)).split("\n").filter((line) =>
    !/^(_|OLDPWD)=/.test(line)
  );
  assertEquals(seen, [
    `<an argument><>A=1`,
    ...["PATH=/bin:/usr/bin", `PWD=${watched.folder}`, watched.folder, "0022", soft],
    ...["/dev/null", `${watched.folder}/seen`, "/dev/null", ""],
  ]);
  const fds = (await Deno.readTextFile(`${watched.folder}/fds`)).split("\n").filter(Boolean);
  assert(fds.every((fd) => Number(fd) < 3 || Number(fd) === 10), fds.join());
  const [pid, session] = (await Deno.readTextFile(`${watched.folder}/session`)).trim().split(" ");
  assertEquals(session, pid);
});

Deno.test("the command runs on the end of others, too, when that is asked for", async () => {
  await using watched = await Watched.start();
  await watched.monitor.command(commandOf(watched, "cat processes/exec/exit.json >>ended"));
  const silent = await watched.run({ name: "other", script: "exit 1", log: NO_LOG });
  await watched.ended(silent);
  const started = await watched.spawn({ name: "exec", script: "exit 3" });
  await watched.monitor.onEnd("exec");
  await watched.watch(started, { log: NO_LOG });
  await watched.ended(started);
  const path = `${watched.folder}/ended`;
  const ends = async () => (await Deno.readTextFile(path).catch(() => "")).split("\n").length;
  await until("it has run", async () => await ends() === 2);
  await assertRejects(
    () => watched.monitor.onEnd("exec"),
    RuntsError,
    'call on the end of "exec": ENOENT (no such file or directory)',
  );
});

Deno.test("one runs at a time; what comes meanwhile makes it run once more", async () => {
  await using watched = await Watched.start();
  const fifo = `${watched.folder}/fifo`;
  watched.helper.makeFifo(fifo, 0o600);
  await watched.monitor.command(commandOf(watched, "echo run >>runs; cat fifo"));
  const runs = async () => (await Deno.readTextFile(`${watched.folder}/runs`)).length / 4;
  await watched.ended(await watched.run({ script: "exit", log: NO_LOG }));
  await until("it runs", () => isThere(`${watched.folder}/runs`));
  for (let i = 0; i < 3; i++) {
    await watched.ended(await watched.run({ script: "exit", log: NO_LOG }));
  }
  assertEquals(await runs(), 1);
  await Deno.writeTextFile(fifo, "");
  await until("it runs once more", async () => await runs() === 2);
  await Deno.writeTextFile(fifo, "");
  await until("no command is left", () => watched.children().length === 0);
  assertEquals(await runs(), 2);
});

Deno.test("a command that is killed is run again, and so is one that fails", async () => {
  await using watched = await Watched.start();
  const script = `echo run >>runs
    case $(wc -l <runs) in 1) kill -KILL $$ ;; 2) exit 3 ;; esac`;
  await watched.monitor.command(commandOf(watched, script));
  await watched.ended(await watched.run({ script: "exit", log: NO_LOG }));
  const runs = async () => (await Deno.readTextFile(`${watched.folder}/runs`)).length / 4;
  await until("it has run to its end", async () => await runs() === 3);
  await until("no command is left", () => watched.children().length === 0);
  assertEquals(await runs(), 3);
});

Deno.test("a wake comes when it is due, and not when it is called off", async () => {
  await using watched = await Watched.start();
  await watched.monitor.command(commandOf(watched, "echo >>woken"));
  const woken = `${watched.folder}/woken`;
  await watched.monitor.wake(100_000);
  await watched.monitor.wake(20);
  await watched.monitor.wake(0);
  await watched.monitor.wake(40);
  const begin = performance.now();
  await until("it wakes", () => isThere(woken));
  assert(performance.now() - begin > 20);
  await until("the command has ended", () => watched.children().length === 0);
  assertEquals(await Deno.readTextFile(woken), "\n");
});

Deno.test("a monitor stays for a wake, though nobody is there", async () => {
  await using watched = await Watched.start({ idleMs: 10 });
  await watched.monitor.command(commandOf(watched, "echo >>woken; exec sleep 0.05"));
  await watched.monitor.wake(150);
  watched.monitor[Symbol.dispose]();
  await watched.gone();
  assertEquals(await Deno.readTextFile(`${watched.folder}/woken`), "\n");
});

Deno.test("a command can be taken away, and one that is none is refused", async () => {
  await using watched = await Watched.start();
  await watched.monitor.command(commandOf(watched, "echo >>runs"));
  const calls = monitorCalls();
  const socket = await calls.connect(`${watched.folder}/monitor.sock`);
  const file = calls.sealedFile("test", new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0x2f, 0]));
  calls.send(socket, { bytes: encodeRequest(Operation.command, 1, [], []), fds: [file] });
  await watched.helper.awaitFds([socket]);
  const reply = calls.receive(socket);
  assert(typeof reply === "object");
  assertEquals(new DataView(reply.bytes.buffer).getInt32(8, true), -22);
  for (const fd of [socket, file]) watched.helper.close(fd);
  await watched.monitor.command(undefined);
  await watched.ended(await watched.run({ script: "exit", log: NO_LOG }));
  assertEquals(watched.children(), []);
  assert(!await isThere(`${watched.folder}/runs`));
});

Deno.test("a command that cannot be executed harms nobody", async () => {
  await using watched = await Watched.start();
  for (const change of [{ path: "/no/such" }, { directory: "/no/such" }]) {
    await watched.monitor.command({ ...commandOf(watched, "exit"), ...change });
    await watched.ended(await watched.run({ script: "exit 3", log: NO_LOG }));
  }
  assert(isRunning(watched.pid));
  await assertRejects(
    () => watched.monitor.ending(1),
    RuntsError,
    "learn how process 1 ended: ESRCH (no such process)",
  );
});

Deno.test("what the command starts may use the monitor", async () => {
  await using watched = await Watched.start();
  using other = await watched.connect();
  await other.subscribe(0n);
  await watched.monitor.command(commandOf(watched, "echo >>runs"));
  await watched.ended(await watched.run({ script: "exit 1", log: NO_LOG }));
  assertEquals((await other.nextEnd()).code, 1);
  await watched.ended(await watched.run({ script: "exit 2", log: NO_LOG }));
  assertEquals((await other.nextEnd()).code, 2);
});
