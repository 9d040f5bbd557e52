/** Hooks of containers on disk. They are rare, and what plans a container comes with them alone. */

import { openMergedView } from "../../../ffi/mounts.ts";
import { quote, RuntsError } from "../../base/errors.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { signalName } from "../../spec/values/signals.ts";
import type { Opened } from "../container.ts";
import { runStage, runStageWarning } from "../life/hooks.ts";
import { makeRootPlaces } from "../life/root.ts";
import { hookCall, type HookFacts } from "../plan/hook_call.ts";
import type { SystemPlan } from "../plan/types.ts";
import { planOpened } from "../planned.ts";

/** Runs the clone hooks of a copy, in their order; the first that fails is the last. */
export async function cloneHooks(
  runtime: LoadedRuntime,
  opened: Opened,
  facts: HookFacts,
): Promise<void> {
  const { plan } = await planOpened(runtime, opened);
  // Who is not root mounts nothing on the host.
  const isMounted = plan.beyond.rootfs.driver === "overlay" && runtime.caller.uid === 0;
  if (!isMounted) return await runStage(runtime, plan, "clone", facts);
  makeRootPlaces(runtime.caller, plan);
  for (const [index, command] of plan.beyond.hooks.stages.clone!.entries()) {
    await runMounted(runtime, plan, command, index, facts);
  }
}

/** Runs the hooks of a container that is removed; what is wrong with them keeps nothing from going on. */
export async function destroyHooks(runtime: LoadedRuntime, opened: Opened): Promise<void> {
  const { plan } = await planOpened(runtime, opened);
  await runStageWarning(runtime, plan, "destroy");
}

/** Only the hook sees the mount, which is gone when it has ended. */
async function runMounted(
  { helper, body, caller }: LoadedRuntime,
  plan: SystemPlan,
  command: string,
  index: number,
  facts: HookFacts,
): Promise<void> {
  const { parts, work, mount: place } = plan.beyond.rootfs;
  const { args, env } = hookCall(plan, "clone", command, facts);
  const view = openMergedView(parts.slice(0, -1), { upper: parts.at(-1)!, work: work! });
  try {
    const { code, signal } = await body.runProgram({
      path: args[0]!,
      args,
      env: [...caller.environment(), ...env],
      mounts: true,
      view: { fd: view, place },
    });
    if (code === 0 && signal === 0) return;
    throw new RuntsError(`hook ${quote(command)}`, {
      configPath: `beyond.hooks.stages["clone"][${index}]`,
      cause: new Error(signal === 0 ? `exit status ${code}` : `killed by SIG${signalName(signal)}`),
    });
  } finally {
    helper.close(view);
  }
}
