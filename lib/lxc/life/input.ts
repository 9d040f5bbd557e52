/** What the planner is told of a system container beside its specification. */

import type { Caller } from "../../base/caller.ts";
import type { InnerHook, InnerStage, MountRule, SystemInput } from "../../plan/system.ts";
import { hookCall } from "../plan/hooks.ts";
import type { SystemPlan } from "../plan/types.ts";

const STAGES: readonly InnerStage[] = ["pre-mount", "mount", "autodev", "start"];

/** The second input of the planner. */
export function systemInput(caller: Caller, plan: SystemPlan): SystemInput {
  const { beyond } = plan;
  const mounts: Record<string, MountRule> = {};
  for (const [index, rule] of Object.entries(beyond.mounts)) {
    mounts[`mounts[${index}]`] = {
      existing: rule.create === undefined,
      optional: rule.optional === true,
    };
  }
  const hooks = STAGES.map((stage) => [stage, hooksOf(caller, plan, stage)]);
  return {
    populateDev: beyond.dev.populate,
    mounts,
    hooks: Object.fromEntries(hooks),
  };
}

function hooksOf(caller: Caller, plan: SystemPlan, stage: InnerStage): InnerHook[] {
  return (plan.beyond.hooks.stages[stage] ?? []).map((command, index) => {
    const { args, env } = hookCall(plan, stage, command);
    return {
      from: `beyond.hooks.stages["${stage}"][${index}]`,
      args,
      env: [...caller.environment(), ...env],
    };
  });
}
