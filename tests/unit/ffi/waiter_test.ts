/** Waits for descriptors: ffi/waiter.ts, and its signatures against c/helper/waiter.h. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Helper, loadHelper } from "../../../ffi/helper.ts";
import { loadLibrary } from "../../../ffi/library.ts";
import { Waiter } from "../../../ffi/waiter.ts";
import { WAITER_SYMBOLS } from "../../../ffi/waiter_symbols.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { until } from "../../support/runtime.ts";
import { assertPrototypes } from "../../support/prototypes.ts";

const POLLOUT = 4;
const BYTE = new Uint8Array([1]);

const read = (path: string) => Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));
const count = (folder: string) => Array.from(Deno.readDirSync(folder)).length;

/** Gives a waiter of its own, and looks for descriptors that are left. */
async function withWaiter(body: (waiter: Waiter, helper: Helper) => Promise<void>): Promise<void> {
  const helper = await loadHelper();
  const library = await loadLibrary();
  const before = count("/proc/self/fd");
  {
    await using waiter = new Waiter(library);
    await body(waiter, helper);
  }
  assertEquals(count("/proc/self/fd"), before, "descriptors");
}

function waiterTest(
  name: string,
  body: (waiter: Waiter, helper: Helper) => Promise<void>,
): void {
  Deno.test(name, () => withWaiter(body));
}

Deno.test("every prototype is that of the header", () => {
  const names = Object.entries(WAITER_SYMBOLS).map(([key, symbol]) =>
    "name" in symbol ? symbol.name : key
  );
  assertPrototypes(names, "waiter.h", "waiter_symbols.ts");
});

waiterTest("a wait ends when one of its descriptors is ready", async (waiter, helper) => {
  const [reading, writing] = helper.pipe();
  const [other, closed] = helper.pipe();
  const waiting = waiter.wait([-1, reading, other]);
  helper.write(writing, BYTE);
  assertEquals(await waiting, [reading]);
  assertEquals(await waiter.wait([reading], { events: POLLOUT, timeoutMs: 20 }), []);
  assertEquals(await waiter.wait([writing], { events: POLLOUT }), [writing]);
  const hangUp = waiter.wait([other], { events: 0 });
  helper.close(closed);
  assertEquals(await hangUp, [other]);
  for (const fd of [reading, writing, other]) helper.close(fd);
});

waiterTest("who lingers hears in this thread, no longer than it may", async (waiter, helper) => {
  let busy = false;
  waiter.linger(50, () => busy);
  const [reading, writing] = helper.pipe();
  const waiting = waiter.wait([reading]);
  helper.write(writing, BYTE);
  assertEquals(await waiting, [reading]);
  helper.read(reading, new Uint8Array(1));
  assertEquals(await waiter.wait([reading], { timeoutMs: 5 }), []);
  // What only the event loop tells of comes while another thread waits.
  busy = true;
  const later = waiter.wait([reading]);
  await new Promise((resolve) => setTimeout(resolve, 1));
  helper.write(writing, BYTE);
  assertEquals(await later, [reading]);
  busy = false;
  const stop = new AbortController();
  const [other, unused] = helper.pipe();
  const given = waiter.wait([other], { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assertRejects(() => given, Error, "enough");
  for (const fd of [reading, writing, other, unused]) helper.close(fd);
});

waiterTest("several descriptors that are ready at once are all told", async (waiter, helper) => {
  const pipes = Array.from({ length: 3 }, () => helper.pipe());
  const reading = pipes.map(([fd]) => fd);
  const waiting = waiter.wait(reading);
  for (const [, writing] of pipes) helper.write(writing, BYTE);
  const ready = await waiting;
  assert(ready.length > 0 && ready.every((fd) => reading.includes(fd)), `${ready}`);
  assertEquals(await waiter.wait(reading), reading);
  for (const fd of pipes.flat()) helper.close(fd);
});

waiterTest("a descriptor may be waited for twice, also by one wait", async (waiter, helper) => {
  const [reading, writing] = helper.pipe();
  const waits = [waiter.wait([reading]), waiter.wait([reading]), waiter.wait([reading, reading])];
  helper.write(writing, BYTE);
  assertEquals((await Promise.all(waits)).map(([first]) => first), [reading, reading, reading]);
  helper.close(reading);
  helper.close(writing);
});

waiterTest(
  "what is waited for may be closed, and its number used again",
  async (waiter, helper) => {
    const [reading, writing] = helper.pipe();
    const waiting = waiter.wait([reading]);
    helper.close(reading);
    const [again, quiet] = helper.pipe();
    assertEquals(again, reading);
    const second = waiter.wait([again], { timeoutMs: 50 });
    helper.write(writing, BYTE);
    assertEquals(await waiting, [reading]);
    assertEquals(await second, []);
    for (const fd of [writing, again, quiet]) helper.close(fd);
  },
);

waiterTest("a process that has ended already is told at once", async (waiter, helper) => {
  const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  const pidfd = helper.openPidfd(child.pid);
  const waiting = waiter.wait([pidfd]);
  helper.sendSignal(pidfd, 9);
  assertEquals(await waiting, [pidfd]);
  await child.status;
  assertEquals(await waiter.wait([pidfd]), [pidfd]);
  // Known not to be ready, but ready by now.
  assertEquals(await waiter.waitLong([pidfd]), [pidfd]);
  helper.close(pidfd);
});

waiterTest("each wait has a timeout of its own", async (waiter, helper) => {
  const [reading, writing] = helper.pipe();
  const begin = performance.now();
  const ended: string[] = [];
  const one = async (name: string, timeoutMs: number) => {
    assertEquals(await waiter.wait([reading], { timeoutMs }), []);
    assert(performance.now() - begin >= timeoutMs, name);
    ended.push(name);
  };
  const long = waiter.wait([reading]);
  await Promise.all([one("third", 120), one("second", 60), one("first", 0)]);
  assertEquals(ended, ["first", "second", "third"]);
  helper.write(writing, BYTE);
  assertEquals(await long, [reading]);
  helper.close(reading);
  helper.close(writing);
});

waiterTest("a watch tells once of what has come", async (waiter, helper) => {
  const [reading, writing] = helper.pipe();
  const [other, ending] = helper.pipe();
  using watch = waiter.watch(reading);
  const first = watch.wait();
  helper.write(writing, BYTE);
  assertEquals(await first, true);
  assertEquals(await watch.wait({ timeoutMs: 5 }), false);
  // What comes while nobody waits is told to the next one.
  const meanwhile = waiter.wait([other]);
  helper.write(writing, BYTE);
  helper.write(ending, BYTE);
  await meanwhile;
  assertEquals(await watch.wait({ timeoutMs: 5000 }), true);
  assertEquals(await watch.wait({ timeoutMs: 0 }), false);
  const reason = new Error("no longer");
  const controller = new AbortController();
  const aborted = watch.wait({ signal: controller.signal });
  controller.abort(reason);
  assertEquals(await assertRejects(() => aborted), reason);
  helper.close(writing);
  assertEquals(await watch.wait(), true);
  for (const fd of [reading, other, ending]) helper.close(fd);
});

waiterTest("a watch of whoever has time is a wait like any other", async (shared, helper) => {
  const [reading, writing] = helper.pipe();
  using watch = shared.withPatience(5).watch(reading);
  helper.write(writing, BYTE);
  assertEquals(await watch.wait(), true);
  assertEquals(await watch.wait(), true); // it was not read
  for (const fd of [reading, writing]) helper.close(fd);
});

waiterTest("a regular file is ready to be read and has no other events", async (waiter, helper) => {
  const file = helper.open("/etc/passwd", 0);
  assertEquals(await waiter.wait([file]), [file]);
  assertEquals(await waiter.wait([file], { events: 2, timeoutMs: 20 }), []);
  helper.close(file);
});

waiterTest("an aborted wait throws the reason, and leaves nothing", async (waiter, helper) => {
  const [reading, writing] = helper.pipe();
  const before = count("/proc/self/fd") + 2; // those of the waiter
  const reason = new Error("no longer");
  const controller = new AbortController();
  const { signal } = controller;
  const waits = [waiter.wait([reading], { signal }), waiter.wait([reading], { signal })];
  const kept = waiter.wait([reading]);
  controller.abort(reason);
  for (const wait of waits) {
    assertEquals(await assertRejects(() => wait), reason);
  }
  assertEquals(count("/proc/self/fd"), before + 1);
  const late = await assertRejects(() => waiter.wait([reading], { signal }));
  assertEquals(late, reason);
  helper.write(writing, BYTE);
  assertEquals(await kept, [reading]);
  assertEquals(count("/proc/self/fd"), before);
  helper.close(reading);
  helper.close(writing);
});

waiterTest("a descriptor that is not open is an error", async (waiter) => {
  const error = await assertRejects(() => waiter.waitLong([9999]), RuntsError);
  assertEquals(error.message, "wait for descriptors: EBADF (bad file descriptor)");
});

waiterTest("whoever has time waits in its own thread first", async (shared, helper) => {
  const [reading, writing] = helper.pipe();
  const waiter = shared.withPatience(300);
  {
    const begin = performance.now();
    const waiting = waiter.wait([reading], { timeoutMs: 10 });
    assert(performance.now() - begin >= 9);
    assertEquals(await waiting, []);
    assertEquals(await waiter.wait([reading], { timeoutMs: 0.5 }), []);
    const long = waiter.wait([reading]);
    const second = performance.now();
    const other = waiter.wait([reading]); // now there is something else to do
    assert(performance.now() - second < 300);
    helper.write(writing, BYTE);
    assertEquals(await Promise.all([long, other]), [[reading], [reading]]);
  }
  helper.close(reading);
  helper.close(writing);
});

waiterTest("500 waits take one thread, and each gets its event", async (waiter, helper) => {
  const first = helper.pipe();
  const warm = waiter.wait([first[0]]);
  const threads = count("/proc/self/task");
  const pipes = Array.from({ length: 500 }, () => helper.pipe());
  const waits = pipes.map(([reading]) => waiter.wait([reading]));
  // Anything asynchronous goes on.
  assertEquals(await Deno.readTextFile("/proc/self/comm"), read("../../../proc/self/comm"));
  assert(count("/proc/self/task") <= threads + 1, "threads");
  for (const [, writing] of pipes.toReversed()) helper.write(writing, BYTE);
  assertEquals((await Promise.all(waits)).flat(), pipes.map(([reading]) => reading));
  helper.write(first[1], BYTE);
  await warm;
  for (const fd of [...pipes.flat(), ...first]) helper.close(fd);
});

Deno.test("a waiter that is ended ends its waits", async () => {
  const helper = await loadHelper();
  const waiter = new Waiter(await loadLibrary());
  const [reading, writing] = helper.pipe();
  const waits = [waiter.wait([reading]), waiter.wait([reading], { timeoutMs: 60_000 })];
  const ended = waits.map((wait) => assertRejects(() => wait, RuntsError));
  await waiter[Symbol.asyncDispose]();
  for (const { message } of await Promise.all(ended)) {
    assertEquals(message, "wait for descriptors: whoever waits for them has ended");
  }
  helper.close(reading);
  helper.close(writing);
});

/** How a script ends that has a helper, with so many descriptors; its exit code. */
async function run(script: string, descriptors = 200): Promise<number> {
  const helper = new URL("../../../ffi/helper.ts", import.meta.url);
  const text = `
    const { loadHelper } = await import(${JSON.stringify(helper.href)});
    const helper = await loadHelper();
    ${script}`;
  const deno = [Deno.execPath(), "eval", text];
  const child = new Deno.Command("sh", {
    args: ["-c", `ulimit -n ${descriptors}; exec "$@"`, "sh", ...deno],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
  const { code } = await child.status;
  clearTimeout(timer);
  return code;
}

waiterTest(
  "there is room for twice the descriptors before they are needed",
  async (waiter, helper) => {
    const size = () =>
      Number(/FDSize:\s(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1]);
    const before = size();
    const pipes: [number, number][] = [];
    do pipes.push(helper.pipe()); while (pipes.at(-1)![1] < before / 2);
    assertEquals(size(), before);
    assertEquals(await waiter.wait([pipes.at(-1)![0]], { timeoutMs: 5 }), []);
    await until("the table is longer", () => size() > before);
    for (const fd of pipes.flat()) helper.close(fd);
  },
);

Deno.test("a script ends though it waits: by Deno.exit, and by an error", async () => {
  const waits = `helper.awaitFds([helper.pipe()[0]]);
    await new Promise((resolve) => setTimeout(resolve, 1));`;
  assertEquals(await run(`${waits} Deno.exit(3);`), 3);
  assertEquals(await run(`${waits} throw new Error("over");`), 1);
});

Deno.test("a wait needs no descriptors where there are none left", async () => {
  const script = `
    const [reading, writing] = helper.pipe();
    const all = [];
    try {
      for (;;) all.push(...helper.pipe());
    } catch {}
    const late = await helper.awaitFds([reading], { timeoutMs: 5 });
    setTimeout(() => helper.write(writing, new Uint8Array(1)), 5);
    const first = await helper.awaitFds([reading]);
    const ended = await helper.awaitFds([all[0]], { signal: AbortSignal.timeout(5) })
      .catch((error) => error.name);
    // A set for one wait, and no room for the copies of another.
    for (const fd of all.splice(2, 3)) helper.close(fd);
    const two = [helper.awaitFds([all[0], all[0]], { timeoutMs: 20 }), helper.awaitFds([reading])];
    const [none, second] = await Promise.all(two);
    Deno.exit(
      late.length === 0 && first[0] === reading && ended === "TimeoutError" &&
        none.length === 0 && second[0] === reading ? 5 : 6,
    );`;
  assertEquals(await run(script), 5);
});
