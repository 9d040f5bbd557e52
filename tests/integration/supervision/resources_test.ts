/** What a monitor takes: memory, processor time, descriptors. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { ON_TERMINAL, Watched } from "../../support/monitor.ts";
import { until } from "../../support/runtime.ts";
import { type Memory, memoryOf } from "../../support/usage.ts";

const PSS_MAX = 300;
const PRIVATE_MAX = 150;
/** Without what it copies with; how much the stack takes depends on the environment. */
const REST_PRIVATE_MAX = 120;

function assertSmall({ share, own }: Memory): void {
  assert(share <= PSS_MAX && own <= PRIVATE_MAX, `${share} kB, ${own} kB private`);
}

const descriptorsOf = (pid: number) => [...Deno.readDirSync(`/proc/${pid}/fd`)].length;

Deno.test("a monitor with a container is small, while it copies and at rest", async () => {
  await using watched = await Watched.start();
  const script =
    "yes 'a line of output that is neither long nor short' | head -c 300000000; exec sleep 1000";
  const log = { driver: "cri", path: "/dev/null" } as const;
  const started = await watched.run({ script, log });
  let busy = 0;
  await until("all is copied", async () => {
    const { written } = await watched.monitor.status();
    if (written > 1_000_000n && written < 300_000_000n) {
      assertSmall(memoryOf(watched.pid));
      busy++;
    }
    return written >= 299_999_000n;
  });
  assert(busy > 0);
  await until("it rests", () => memoryOf(watched.pid).own <= REST_PRIVATE_MAX);
  watched.kill(started);
  assertEquals((await watched.ended(started)).code, 137);
});

Deno.test("a monitor with a terminal and many ended processes is small", async () => {
  await using watched = await Watched.start();
  await watched.run({ ...ON_TERMINAL, script: "seq 10000; exec sleep 1000" });
  await until("its terminal is there", async () => (await watched.logged()).includes("10000"));
  const before = descriptorsOf(watched.pid);
  for (let i = 0; i < 300; i++) {
    const name = `a-name-of-some-length-${i}`;
    await watched.run({ name, script: "echo word", log: watched.log("json") });
  }
  await until("all have ended", async () => (await watched.monitor.status()).processes === 1);
  assertEquals(descriptorsOf(watched.pid), before);
  await until("it rests", () => memoryOf(watched.pid).own <= PRIVATE_MAX);
  assertSmall(memoryOf(watched.pid));
});

Deno.test("without descriptors a monitor refuses whoever comes, and goes on", async () => {
  await using watched = await Watched.start();
  const limit = async (most: number) => {
    const args = [`--pid=${watched.pid}`, `--nofile=${most}:`];
    assert((await new Deno.Command("prlimit", { args }).output()).success);
  };
  await limit(descriptorsOf(watched.pid));
  const refused = await watched.connect();
  await assertRejects(() => refused.hello(), RuntsError, "greet the monitor: ");
  refused[Symbol.dispose]();
  assertEquals((await watched.monitor.status()).connections, 1);
  await assertRejects(
    () => watched.spawn({ script: "exit" }),
    RuntsError,
    "start init: EMFILE (too many open files)",
  );
  await limit(1024);
  assertEquals((await watched.ended(await watched.run({ script: "exit 4" }))).code, 4);
});

Deno.test("a monitor at rest does nothing", async () => {
  await using watched = await Watched.start();
  await watched.run({ script: "echo; exec sleep 1000" });
  // What it waits for has no end: the number of epoll_pwait(2), a set, room for one event, -1.
  await until("it waits without end", async () => {
    return (await Deno.readTextFile(`/proc/${watched.pid}/syscall`)).includes(
      " 0x1 0xffffffffffffffff ",
    );
  });
  const threads = [...Deno.readDirSync(`/proc/${watched.pid}/task`)].length;
  assertEquals(threads, 1);
});
