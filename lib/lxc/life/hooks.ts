/** Hooks that run on the host. */

import { quote, reason, RuntsError } from "../../base/errors.ts";
import { errnoText } from "../../base/errno.ts";
import type { HookEnding } from "../../body/body.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { signalName } from "../../spec/values/signals.ts";
import type { HookStage } from "../config/keys.ts";
import { hookCall, type HookFacts } from "../plan/hook_call.ts";
import type { SystemPlan } from "../plan/types.ts";

/** A program with its arguments, and what is added to the environment. */
interface Call {
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/** Runs the hooks of a stage, in their order; the first that fails is the last. */
export async function runStage(
  runtime: LoadedRuntime,
  plan: SystemPlan,
  stage: HookStage,
  facts: HookFacts = {},
): Promise<void> {
  for (const [index, command] of (plan.beyond.hooks.stages[stage] ?? []).entries()) {
    const from = `beyond.hooks.stages["${stage}"][${index}]`;
    await runCall(runtime, command, hookCall(plan, stage, command, facts), from);
  }
}

/** The same, where nothing depends on them any more. */
export async function runStageWarning(
  runtime: LoadedRuntime,
  plan: SystemPlan,
  stage: HookStage,
  facts: HookFacts = {},
): Promise<boolean> {
  try {
    await runStage(runtime, plan, stage, facts);
    return true;
  } catch (error) {
    runtime.warn(reason(error));
    return false;
  }
}

/** Runs a command line of the configuration. */
export async function runCall(
  { body, caller }: LoadedRuntime,
  command: string,
  { args, env }: Call,
  configPath: string,
): Promise<void> {
  const ending = await body.runHook({
    path: args[0]!,
    args,
    env: [...caller.environment(), ...env],
    cwd: "/",
    stdin: new Uint8Array(),
    timeoutSeconds: 0,
    limits: caller.limits(),
  });
  const how = failureOf(ending);
  if (how === undefined) return;
  throw new RuntsError(`hook ${quote(command)}`, { configPath, cause: new Error(how) });
}

function failureOf({ errno, signal, code, stderr }: HookEnding): string | undefined {
  const said = stderr.trim() === "" ? "" : `: stderr ${quote(stderr.trim())}`;
  if (errno !== 0) return errnoText(errno);
  if (signal !== 0) return `killed by SIG${signalName(signal)}${said}`;
  return code === 0 ? undefined : `exit status ${code}${said}`;
}
