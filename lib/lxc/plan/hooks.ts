/** The hooks of a configuration (lxc.container.conf(5)). */

import { HOOK_STAGES, type HookStage } from "../config/keys.ts";
import type { Draft } from "./draft.ts";
import { variables } from "./process.ts";
import type { Hooks } from "./types.ts";

/** The hooks of a configuration. */
export function planHooks(draft: Draft): Hooks {
  const { config } = draft;
  const stages: Partial<Record<HookStage, readonly string[]>> = {};
  for (const stage of HOOK_STAGES) {
    const hooks = config.all(`lxc.hook.${stage}`);
    if (hooks.length === 0) continue;
    stages[stage] = hooks.map(({ value, at }, index) => {
      draft.from(`beyond.hooks.stages["${stage}"][${index}]`, at);
      return value;
    });
  }
  return {
    version: config.get("lxc.hook.version")?.value === 1 ? 1 : 0,
    stages,
    environment: variables(draft, config.all("lxc.environment.hooks")),
  };
}
