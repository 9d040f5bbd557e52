/** `explain`: what create would do, without doing it. */

import { makeCgroup } from "../cgroup/mod.ts";
import { settingsV1 } from "../cgroup/v1/resources.ts";
import { settingsV2 } from "../cgroup/v2/resources.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import { describeOp } from "../plan/describe.ts";
import type { Op } from "../wire/ops.ts";
import type { PlanSlot } from "../plan/plan.ts";
import type { Hook, Resources, Spec } from "../spec/types/config.ts";
import { Message } from "../wire/messages.ts";
import { type OpenBundle, openBundle } from "../caller/bundle.ts";
import { inCommand } from "../runtime/command.ts";
import { planHost } from "../host/facts.ts";
import type { SystemInput } from "../plan/system.ts";
import type { Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { cgroupRequest, planCreation } from "./creation_plan.ts";
import { seccompFilter } from "../seccomp/filter.ts";
import type { CreateOptions } from "../caller/options.ts";

/** What {@linkcode explain} takes: options of `create`. */
export type ExplainOptions = Pick<CreateOptions, "id" | "bundle" | "config" | "noPivot">;

/** Where a step takes place, in the order of time. */
export const STAGES = ["cgroup", "host", "namespaces", "rootfs", "container"] as const;
/** One of {@linkcode Step}'s places. */
export type Stage = (typeof STAGES)[number];

/** An operation of init, with what belongs to it. */
export interface Operation {
  /** Its name. */
  readonly op: string;
  /** JSON path of config.json that asks for it; empty when the runtime does it by itself. */
  readonly from: string;
  /** Whatever it needs. */
  readonly [field: string]: unknown;
}

/** One thing that is done. */
export interface Step {
  /** Where it takes place. */
  readonly stage: Stage;
  /** JSON path of config.json that asks for it; empty when the runtime does it by itself. */
  readonly from: string;
  /** What is done, to be read. */
  readonly text: string;
  /** The place of the operation in the plan of init; absent when runts does it. */
  readonly index?: number;
  /** The operation of init; absent when runts does it. */
  readonly op?: Operation;
}

/** What `create` would do. */
export interface Explanation {
  /** Absolute path of the bundle. */
  readonly bundle: string;
  /** Absolute path of the root filesystem. */
  readonly rootfs: string;
  /** In the order in which they are done. */
  readonly steps: readonly Step[];
  /** What `create` would warn of. */
  readonly warnings: readonly string[];
}

/** Plans a container as `create` does. Errors are those that create would have before it begins. */
export function explain(
  given: RuntimeOrSettings,
  options: ExplainOptions,
): Promise<Explanation> {
  return inCommand(given, "explain", options.id, async (runtime) => {
    return await explainBundle(runtime, options, await openBundle(runtime, options));
  });
}

/** The same of a bundle that was read, and of a system container with what it has beside. */
export async function explainBundle(
  runtime: Runtime,
  options: ExplainOptions,
  bundle: OpenBundle,
  system?: SystemInput,
): Promise<Explanation> {
  const { spec } = bundle;
  // Nothing is made of it.
  const cgroup = await makeCgroup(runtime, cgroupRequest(runtime, options.id, spec));
  // Nothing is to be written, not even to the cache of filters.
  const seccomp = await seccompFilter(spec);
  const plan = planCreation({
    options,
    bundle,
    host: planHost(runtime, cgroup.record),
    join: cgroup.joinFiles(),
    seccomp,
    console: spec.process?.terminal === true,
    attended: cgroup.delegate !== undefined || system !== undefined,
    ...(system && { system }),
  });
  return {
    bundle: bundle.path,
    rootfs: plan.rootfs,
    steps: [...cgroupSteps(cgroup, spec), ...initSteps(plan.ops, plan.slots, bundle)],
    warnings: plan.warnings,
  };
}

/** What runts does before there is a process. */
function cgroupSteps({ record }: CgroupManager, spec: Spec): Step[] {
  const from = spec.linux?.cgroupsPath === undefined ? "" : "linux.cgroupsPath";
  const stage = "cgroup";
  if (record.kind === "systemd") {
    return [{ stage, from, text: `ask systemd for the scope ${record.scope ?? record.path}` }];
  }
  const resources = spec.linux?.resources ?? {};
  return [
    ...[...new Set(Object.values(record.paths))]
      .map((path): Step => ({ stage, from, text: `make ${path}` })),
    ...limitSteps(record.kind === "v2" ? "v2" : "v1", resources),
    ...(resources.devices ?? []).map((rule, index): Step => ({
      stage,
      from: `linux.resources.devices[${index}]`,
      text: `${rule.allow ? "allow" : "deny"} ${DEVICE_TYPES[rule.type ?? "a"]}` +
        ` ${number(rule.major)}:${number(rule.minor)} ${rule.access ?? ""}`.trimEnd(),
    })),
  ];
}

const DEVICE_TYPES = { a: "all devices", b: "block devices", c: "character devices" };

function number(value: number | undefined): string {
  return value === undefined || value < 0 ? "*" : String(value);
}

function limitSteps(version: "v1" | "v2", resources: Resources): Step[] {
  const settings = version === "v1"
    ? settingsV1(resources, "linux.resources.")
    : settingsV2(resources, "linux.resources.", () => undefined);
  return settings.map(({ configPath, forms: [{ file, value }] }) => ({
    stage: "cgroup",
    from: configPath,
    text: `write ${value} to ${file}`,
  }));
}

/** What init does, and in between what runts does for it. */
function initSteps(
  ops: readonly Op[],
  slots: readonly PlanSlot[],
  { spec }: OpenBundle,
): Step[] {
  let stage: Stage = "host";
  const cloned = ops.findLastIndex(({ op }) => op === "clone");
  return ops.flatMap((op, index): Step[] => {
    if (index > cloned && stage === "host") stage = "namespaces";
    const begins = op.op === "propagation" || op.op === "rootfs";
    if (begins && stage !== "container") stage = "rootfs";
    const step = { stage, from: op.from, text: describe(op, slots), index, op };
    if (op.op === "enter_root") stage = "container";
    const pauses = op.op === "sync" && op.message === Message.namespaces;
    return pauses ? [step, ...hookSteps(stage, spec)] : [step];
  });
}

/** Hooks that run in the namespaces of runts. */
function hookSteps(stage: Stage, { hooks }: Spec): Step[] {
  return (["prestart", "createRuntime"] as const).flatMap((kind) =>
    (hooks?.[kind] ?? []).map((hook: Hook, index): Step => ({
      stage,
      from: `hooks.${kind}[${index}]`,
      text: `run ${hook.path}, by runts`,
    }))
  );
}

function describe(op: Op, slots: readonly PlanSlot[]): string {
  const slot = op.op === "join_cgroup" ? slots[op.slot] : undefined;
  return slot !== undefined && "path" in slot
    ? `join ${slot.path.slice(0, slot.path.lastIndexOf("/"))}`
    : describeOp(op);
}
