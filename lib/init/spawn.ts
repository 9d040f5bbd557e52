/** Spawning init: what it gets is opened before, and closed here after. */

import { EMFILE } from "../base/errno.ts";
import { errnoOf, isRuntsError } from "../base/errors.ts";
import type { Stdio } from "../body/body.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { encodePlan } from "../wire/encode.ts";
import type { Plan } from "../plan/plan.ts";
import { InitProcess, type SpawnOptions } from "./conversation.ts";
import { openSlots, type OwnFds } from "./descriptors.ts";

/** What to spawn init with. */
interface SpawnRequest extends Pick<SpawnOptions, "preserve" | "cgroup"> {
  readonly plan: Plan;
  /** What is at hand for the plan's slots; it stays the caller's. */
  readonly own: OwnFds;
  /** Default `inherit`. */
  readonly stdio: Stdio | undefined;
}

/** Spawns init for a plan. */
export async function spawnInit(
  runtime: LoadedRuntime,
  { plan, own, stdio = "inherit", ...options }: SpawnRequest,
): Promise<InitProcess> {
  const { helper } = runtime;
  const slots = openSlots(helper, plan.slots, own);
  try {
    return await InitProcess.spawn(runtime, {
      ...options,
      plan: encodePlan(plan.ops, helper.buildId),
      ops: plan.ops,
      fds: slots.fds,
      trace: runtime.debug !== undefined,
      stdio,
    });
  } catch (error) {
    if (errnoOf(error) !== EMFILE || !isRuntsError(error)) throw error;
    throw error.with({ hint: "the caller's hard limit of open files is too low (ulimit -Hn)" });
  } finally {
    slots.close();
  }
}
