/** Clone hooks: they find the root filesystem of the copy, also where that is an overlay. */

import { openMergedView } from "../../../ffi/mounts.ts";
import { quote, RuntsError } from "../../base/errors.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { signalName } from "../../spec/values/signals.ts";
import { openContainer, planOpened } from "../container.ts";
import { runStage } from "../life/hooks.ts";
import { makeRootPlaces } from "../life/root.ts";
import { hookCall, type HookFacts } from "../plan/hooks.ts";
import type { SystemPlan } from "../plan/types.ts";
import type { Placed } from "./dependents.ts";

/** Runs them, in their order; the first that fails is the last. */
export async function runCloneHooks(
  runtime: LoadedRuntime,
  place: Placed,
  facts: HookFacts,
): Promise<void> {
  const opened = await openContainer(runtime, place);
  if (opened.config.all("lxc.hook.clone").length === 0) return;
  const { plan } = await planOpened(runtime, opened);
  // Who is not root mounts nothing on the host.
  const isMounted = plan.beyond.rootfs.driver === "overlay" && runtime.caller.uid === 0;
  if (!isMounted) return await runStage(runtime, plan, "clone", facts);
  makeRootPlaces(plan);
  for (const [index, command] of plan.beyond.hooks.stages.clone!.entries()) {
    await runMounted(runtime, plan, command, index, facts);
  }
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
