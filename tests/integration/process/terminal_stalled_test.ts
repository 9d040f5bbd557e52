/** A terminal of a container whose output nobody reads for a while, or ever. */

import { assertEquals } from "@std/assert";
import { type Helper, loadHelper } from "../../../ffi/helper.ts";
import type { Config } from "../../support/bundle.ts";
import { commandLine, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { type Sleeper, withSleeper } from "../../support/seen.ts";

/** poll(2) */
const POLLOUT = 4;

/** The reading end of what a command writes to, which is full when the test begins. */
interface Stalled {
  readonly process: Deno.ChildProcess;
  /** All that is still to be read, once the command has ended. */
  rest(): Promise<number>;
  isFull(): Promise<boolean>;
}

/** Two ways to a process with a terminal; the first one is not alone in a pid namespace. */
function commandOf(verb: string, sleeper: Sleeper, script: string): string[] {
  const { runtime, id, bundle } = sleeper;
  const words = ["sh", "-c", script];
  if (verb === "exec") return ["--root", runtime.root, "exec", "-t", id, ...words];
  const config: Config = bundle.config;
  config.process.args = words;
  config.process.terminal = true;
  config.linux.namespaces = config.linux.namespaces.filter((one: Config) => one.type !== "pid");
  bundle.save();
  return ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
}

/** Starts a command whose output goes to a pipe, which keeps the mode that it has: it blocks. */
function stall(helper: Helper, line: readonly string[]): Stalled {
  const [from, to] = helper.pipe();
  const script = `exec "$@" </dev/null >/proc/${Deno.pid}/fd/${to}`;
  const args = ["-c", script, "sh", ...line];
  const process = new Deno.Command("sh", { args, stdin: "null" }).spawn();
  return {
    process,
    async isFull() {
      return (await helper.awaitFds([to], { events: POLLOUT, timeoutMs: 0 })).length === 0;
    },
    async rest() {
      helper.close(to);
      let length = 0;
      const bytes = new Uint8Array(65_536);
      for (;;) {
        await helper.awaitFds([from]);
        const count = helper.read(from, bytes);
        length += count;
        if (count === 0) break;
      }
      helper.close(from);
      return length;
    },
  };
}

function stalledTest(
  name: string,
  script: string,
  body: (stalled: Stalled, sleeper: Sleeper) => Promise<void>,
): void {
  for (const verb of ["exec", "run"]) {
    Deno.test({
      name: `${verb} on a terminal ${name}`,
      ...RUNTS_ONLY, // runc waits for the reader for ever
      fn: () =>
        withSleeper(() => {}, async (sleeper) => {
          const helper = await loadHelper();
          const line = commandLine(sleeper.runtime.executable, commandOf(verb, sleeper, script));
          const stalled = stall(helper, line);
          try {
            await until("the pipe is full", stalled.isFull);
            await body(stalled, sleeper);
          } finally {
            await stalled.process.status;
          }
        }),
    });
  }
}

stalledTest(
  "ends by SIGTERM when nobody reads",
  "while :; do echo 0123456789; done",
  async (one) => {
    one.process.kill("SIGTERM");
    assertEquals((await one.process.status).code, 143);
    await one.rest();
  },
);

const PRINT = "payload print 100000 2>/dev/null; exit 5";

stalledTest("ends by SIGTERM after its program, when nobody reads", PRINT, async (one, sleeper) => {
  await until("the program has ended", async () => (await programs(sleeper)) === 0);
  one.process.kill("SIGTERM");
  assertEquals((await one.process.status).code, 5);
  await one.rest();
});

stalledTest("loses nothing when somebody reads late", PRINT, async (one, sleeper) => {
  await until("the program has ended", async () => (await programs(sleeper)) === 0);
  const length = one.rest();
  assertEquals((await one.process.status).code, 5);
  assertEquals(await length, 100_000);
});

/** Processes of the payload on the host that stem from this test. */
async function programs({ bundle }: Sleeper): Promise<number> {
  let found = 0;
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const root = await Deno.stat(`/proc/${name}/root/bin/payload`);
      const words = await Deno.readTextFile(`/proc/${name}/cmdline`);
      const own = await Deno.stat(`${bundle.rootfs}/bin/payload`);
      if (root.ino === own.ino && words.includes("payload\0print")) found++;
    } catch {
      // it is gone
    }
  }
  return found;
}
