/** Whether a command was performed by the front, or went through Deno. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "./bundle.ts";
import { runtimeTest, type TestRuntime } from "./host.ts";
import {
  command,
  type CommandOptions,
  type Output,
  RUNTIME,
  RUNTS_ONLY,
  until,
} from "./runtime.ts";

/** ld.so says that it cannot load it, and there is no ld.so before Deno. */
const NOWHERE = "/nonexistent/runts-cold.so";
const COMPLAINT = new RegExp(`^ERROR: ld\\.so: object '${NOWHERE}' .*: ignored\\.\n`);

/** Variables with which ld.so tells that it is there. */
export const TELLING = { LD_PRELOAD: NOWHERE };

/** What a command did, and how. */
export interface Told extends Output {
  readonly cold: boolean;
}

/** Runs the executable with `env -i` and these words in front: variables. */
export async function tell(
  args: readonly string[],
  variables: readonly string[] = [],
  options: CommandOptions & { executable?: string } = {},
): Promise<Told> {
  const preload = Object.entries(TELLING).map((entry) => entry.join("="));
  const line = ["env", "-u", "RUNTS_TEST_COLD", "RUNTS_BRAIN=", ...preload, ...variables];
  return told(await command([...line, options.executable ?? RUNTIME, ...args], options));
}

/** What a command did that ran with {@linkcode TELLING} in its environment. */
export function told(output: Output): Told {
  const stderr = output.stderr.replace(COMPLAINT, "");
  return { ...output, stderr, cold: stderr !== output.stderr };
}

/** The same, by Deno whatever there is. */
export function tellCold(args: readonly string[]): Promise<Told> {
  return tell(args, ["RUNTS_TEST_COLD=1"]);
}

/** A container that stays. */
export function idle(config: Config): void {
  config.process.args = ["sleep", "1000"];
}

type Call = (...args: string[]) => Promise<Told>;

/** A created container with a call for it; it is deleted at the end. */
export function prepared(
  name: string,
  edit: (config: Config) => void,
  body: (id: string, call: Call, runtime: TestRuntime) => Promise<void>,
): void {
  runtimeTest(name, RUNTS_ONLY, async (runtime) => {
    using bundle = new Bundle(edit);
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    await body(id, (...args) => tell(["--root", runtime.root, ...args]), runtime);
    await runtime.ok(["delete", "--force", id]);
  });
}

/** What a verb that prints nothing tells when the front has performed it. */
export const SHORT = { code: 0, stdout: "", stderr: "", cold: false };

/** The state, which the front printed unless `cold` says other. */
export async function assertState(
  call: Call,
  id: string,
  status: string,
  cold = false,
): Promise<Config> {
  const { code, stdout, stderr, cold: was } = await call("state", id);
  const state = JSON.parse(stdout);
  assertEquals({ code, stderr, was, status: state.status }, {
    code: 0,
    stderr: "",
    was: cold,
    status,
  });
  return state;
}

/** Waits until the container has stopped. */
export async function ended(call: Call, id: string): Promise<void> {
  await until(
    "it has ended",
    async () => JSON.parse((await call("state", id)).stdout).status === "stopped",
  );
}
