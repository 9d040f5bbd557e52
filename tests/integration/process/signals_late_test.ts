/** Signals to runts when it has run for a while: by then Deno has set handlers of its own. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import { commandLine, PEER, RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";

/** When Deno sets them, in ms after the start, and as much again. */
const A_WHILE = 1000;

/** A command in the background, as old as that. */
async function oldCommand(
  runtime: TestRuntime,
  args: string[],
  isReady: () => boolean,
  env: Record<string, string> = {},
): Promise<Deno.ChildProcess> {
  const start = performance.now();
  const line = commandLine(RUNTIME, ["--root", runtime.root, ...args]);
  const child = new Deno.Command(line[0]!, {
    args: line.slice(1),
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await until("it runs", isReady);
  await until("it has run for a while", () => performance.now() - start > A_WHILE);
  return child;
}

async function ending(child: Deno.ChildProcess): Promise<[number, string | null, string, string]> {
  const { code, signal, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return [code, signal, text(stdout), text(stderr)];
}

/** What the program has written down: "ready" and the numbers of signals. */
function recorded(bundle: Bundle): string[] {
  try {
    return Deno.readTextFileSync(`${bundle.rootfs}/out`).split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

async function handsOn(verb: "run" | "exec", terminal: boolean): Promise<void> {
  await withRuntime(async (runtime) => {
    const recorder = ["sh", "-c", "exec payload signals >/out"];
    using bundle = new Bundle((config) => {
      config.process.args = verb === "run" ? recorder : ["sleep", "1000"];
      config.process.terminal = verb === "run" && terminal;
      config.root.readonly = false;
    });
    await addPayload(bundle, "payload");
    const id = runtime.id();
    const run = ["run", "--bundle", bundle.path];
    if (verb === "exec") await runtime.ok([...run, "--detach", id]);
    const exec = ["exec", ...(terminal ? ["--tty"] : []), id, ...recorder];
    const args = verb === "run" ? [...run, id] : exec;
    const child = await oldCommand(runtime, args, () => recorded(bundle)[0] === "ready");
    const signals = [["SIGHUP", 1], ["SIGINT", 2], ["SIGUSR1", 10], ["SIGTERM", 15]] as const;
    for (const [name, number] of signals) {
      child.kill(name);
      await until(`${name} has come`, () => recorded(bundle).includes(String(number)));
    }
    assertEquals(await ending(child), [0, null, "", ""]);
    if (verb === "exec") await runtime.ok(["delete", "--force", id]);
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
  });
}

for (const verb of ["run", "exec"] as const) {
  for (const terminal of [false, true]) {
    Deno.test({
      name: `${verb}${terminal ? " with a terminal" : ""} hands signals on after a while, too`,
      ignore: PEER === "crun" || (PEER !== "runts" && terminal), // hands on none; wants a terminal itself
      fn: () => handsOn(verb, terminal),
    });
  }
}

Deno.test({
  name: "SIGUSR1 opens no debugger in a command that takes long",
  ...RUNTS_ONLY,
  async fn() {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
      const id = runtime.id();
      await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
      const args = ["events", "--interval", "1000s", id];
      // Whom a warm brain serves has no debugger.
      const child = await oldCommand(runtime, args, () => true, { RUNTS_TEST_COLD: "1" });
      child.kill("SIGUSR1");
      const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
      const pending = BigInt(`0x${/^ShdPnd:\s*(\w+)$/m.exec(status)![1]}`);
      assertEquals(pending, 1n << 9n);
      child.kill("SIGTERM");
      const [code, signal, , stderr] = await ending(child);
      assertEquals([code, signal, stderr], [143, "SIGTERM", ""]);
      await runtime.ok(["delete", "--force", id]);
    });
  },
});
