/** What the planner is told of a system container beside its specification. */

import type { Caller } from "../../base/caller.ts";
import type {
  InnerHook,
  InnerStage,
  MountRule,
  RootMount,
  SystemInput,
} from "../../plan/system.ts";
import { hookCall } from "../plan/hook_call.ts";
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
      ...(rule.idmap !== undefined && { idmap: rule.idmap }),
    };
  }
  const { ttys, signals } = beyond;
  const directory = ttys.directory === undefined ? undefined : `/dev/${ttys.directory}`;
  const hooks = STAGES.map((stage) => [stage, hooksOf(caller, plan, stage)]);
  const root = rootMount(plan);
  const { keyringContext, coreScheduling } = beyond.security;
  return {
    ...(root && { root }),
    populateDev: beyond.dev.populate,
    // Each start has its own.
    ...(beyond.dev.bootId && { bootId: crypto.randomUUID() }),
    consolePaths: directory === undefined ? [] : [`${directory}/console`],
    terminals: terminalNames(plan).map((name) => ({
      name,
      path: `${directory ?? "/dev"}/${name}`,
      ...(directory !== undefined && { link: `/dev/${name}` }),
    })),
    writable: writablePaths(plan),
    reaper: plan.reaps === true,
    ...(keyringContext !== undefined && { keyringContext }),
    ...(coreScheduling && { ownCores: true }),
    parentDeath: signals.parentDeath,
    mounts,
    hooks: Object.fromEntries(hooks),
  };
}

/** What is mounted on the root; a directory that is left as it is needs nothing. */
function rootMount({ beyond: { rootfs } }: SystemPlan): RootMount | undefined {
  const { driver, parts, mount, options, idmap, work } = rootfs;
  if (driver === "overlay") {
    const upper = parts.at(-1)!;
    const layers = [
      `lowerdir=${parts.slice(0, -1).join(":")}`,
      `upperdir=${upper}`,
      `workdir=${work}`,
    ];
    const from = "beyond.rootfs";
    return { from, type: "overlay", source: parts[0]!, options: [...layers, ...options] };
  }
  if (driver !== "dir") return undefined;
  const further = options.some((option) => option !== "ro") || idmap !== undefined;
  if (parts[0] === mount && !further) return undefined;
  const isElsewhere = parts[0] !== mount;
  return {
    from: isElsewhere ? "beyond.rootfs" : "beyond.rootfs.options",
    ...(isElsewhere && { source: parts[0]! }),
    options,
    ...(idmap !== undefined && { idmap }),
  };
}

/** Of the terminals beside the console: `tty1` and so on. */
export function terminalNames({ beyond: { ttys } }: SystemPlan): string[] {
  return Array.from({ length: ttys.count }, (_, index) => `tty${index + 1}`);
}

/** What belongs to the network of the host stays read-only. */
function writablePaths({ spec, beyond }: SystemPlan): SystemInput["writable"] {
  const ownsNetwork = spec.linux?.namespaces?.some(({ type }) => type === "network") === true;
  return !ownsNetwork ? [] : beyond.writable.map((path, index) => ({
    from: `beyond.writable[${index}]`,
    path,
  }));
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
