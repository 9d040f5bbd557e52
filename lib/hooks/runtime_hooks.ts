/**
 * Hooks that run in the runtime's namespaces (config.md, "POSIX-platform Hooks"): prestart,
 * createRuntime, poststart, poststop. createContainer and startContainer hooks are operations
 * of the plan, because init runs them inside.
 */

import { errnoText } from "../base/errno.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { whileWaiting } from "../base/time_limit.ts";
import type { HookEnding } from "../body/body.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { HookOutput } from "./output.ts";
import { HOOK_OUTPUTS } from "../spec/values/hook_outputs.ts";
import type { Hook, HookKind, Spec, State } from "../spec/types/config.ts";

/** What is looked at of a configuration. */
type HookSpec = Pick<Spec, "hooks" | "annotations">;

/**
 * Runs the hooks of one kind in order, in the bundle, with the state document as standard input. A signal
 * that is aborted kills the one that runs.
 */
export async function runHooks(
  runtime: LoadedRuntime,
  kind: HookKind,
  { hooks, annotations }: HookSpec,
  state: State,
  signal?: AbortSignal,
): Promise<void> {
  const list = hooks?.[kind] ?? [];
  if (list.length === 0) return;
  using output = await openOutput(runtime, annotations);
  for (const [index, hook] of list.entries()) {
    await runHook(runtime, kind, index, hook, state, output, signal);
  }
}

/**
 * As {@linkcode runHooks}, but a failure is a warning and the next hook runs; with our own
 * output if that of the annotations cannot be opened.
 */
export async function runHooksWarning(
  runtime: LoadedRuntime,
  kind: HookKind,
  { hooks, annotations }: HookSpec,
  state: State,
): Promise<void> {
  const list = hooks?.[kind] ?? [];
  if (list.length === 0) return;
  using output = await openOutput(runtime, annotations, runtime.warn);
  for (const [index, hook] of list.entries()) {
    try {
      await runHook(runtime, kind, index, hook, state, output);
    } catch (error) {
      runtime.warn((error as RuntsError).message);
    }
  }
}

/** The files that annotations name for output, opened. */
async function openOutput(
  runtime: LoadedRuntime,
  annotations: HookSpec["annotations"],
  warn?: (message: string) => void,
): Promise<HookOutput | undefined> {
  if (!annotations || !Object.values(HOOK_OUTPUTS).some((name) => name in annotations)) {
    return undefined;
  }
  const { openHookOutput } = await import("./output.ts");
  return openHookOutput(runtime.helper, annotations, warn);
}

async function runHook(
  runtime: LoadedRuntime,
  kind: HookKind,
  index: number,
  hook: Hook,
  state: State,
  output: HookOutput | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const configPath = `hooks.${kind}[${index}]`;
  const program = {
    path: hook.path,
    args: hook.args?.length ? hook.args : [hook.path],
    env: hook.env ?? runtime.caller.environment(),
    cwd: state.bundle || "/",
    stdin: new TextEncoder().encode(JSON.stringify(state)),
    timeoutSeconds: hook.timeout ?? 0,
    limits: runtime.caller.limits(),
    signal,
    ...(output?.stdout !== undefined && { stdout: output.stdout }),
    ...(output?.stderr !== undefined && { stderr: output.stderr }),
  };
  const result = await runtime.body.runHook(program).catch((error) => {
    const cause = new Error(`hook ${quote(hook.path)} still runs`);
    throw whileWaiting(error, { configPath, cause });
  });
  const how = await failure(result, hook);
  if (how === undefined) return;
  throw new RuntsError(`hook ${quote(hook.path)}`, { configPath, cause: new Error(how) });
}

async function failure(result: HookEnding, hook: Hook): Promise<string | undefined> {
  const after = `after ${Math.round(result.durationMs)} ms`;
  const said = result.stderr.trim() === "" ? "" : `: stderr ${quote(result.stderr.trim())}`;
  if (result.errno !== 0) return errnoText(result.errno);
  if (result.timedOut) return `timed out after ${hook.timeout} s${said}`;
  if (result.signal !== 0) {
    const { signalName } = await import("../spec/values/signals.ts");
    return `killed by SIG${signalName(result.signal)} ${after}${said}`;
  }
  if (result.code !== 0) return `exit status ${result.code} ${after}${said}`;
  return undefined;
}
