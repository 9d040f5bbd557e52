/** Supervised containers for tests: what programs see of them, and what the host shows. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "./bundle.ts";
import { isRunning, type TestRuntime, withRuntime } from "./host.ts";
import { RUNTS_ONLY, until } from "./runtime.ts";

/** A container that runs a shell script, looked after by a monitor. */
export async function runScript(
  runtime: TestRuntime,
  bundle: Bundle,
  script: string,
  ...options: readonly string[]
): Promise<string> {
  bundle.config.process.args = ["sh", "-c", script];
  bundle.save();
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--supervised", ...options, "--bundle", bundle.path, id]);
  return id;
}

/** A test of supervised containers; afterwards neither monitors nor anything else of them is left. */
export function supervisionTest(
  name: string,
  body: (runtime: TestRuntime, bundle: Bundle) => Promise<void>,
  edit: (config: Config) => void = () => {},
): void {
  Deno.test({
    name,
    ...RUNTS_ONLY,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle(edit);
        await body(runtime, bundle);
        await until("no monitor is left", () => monitorsOf(runtime).length === 0);
      }),
  });
}

/** The monitors of the containers of a test. */
export function monitorsOf(runtime: TestRuntime): number[] {
  const mark = `-${runtime.root.slice(-6)}-`;
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    try {
      const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
      return words.startsWith("runts-monitor\0") && words.includes(mark) && isRunning(pid);
    } catch {
      return false; // no process, or it has ended
    }
  });
}

/** A record in the state directory of a container. */
export function record(runtime: TestRuntime, id: string, name: string): Config {
  return JSON.parse(Deno.readTextFileSync(`${runtime.root}/${id}/${name}`));
}

/** What happened to a container, in order. */
export function eventsOf(runtime: TestRuntime, id: string): Config[] {
  const text = Deno.readTextFileSync(`${runtime.root}/.events/events.ndjson`);
  const all: Config[] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(all.map(({ seq }) => seq), all.map((_, index) => index + 1));
  return all.filter((event) => event.id === id);
}

/** The types of what happened to a container. */
export function eventTypes(runtime: TestRuntime, id: string): string[] {
  return eventsOf(runtime, id).map(({ type }) => type);
}
