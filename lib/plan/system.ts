/**
 * What a system container has beside its configuration: a second input of the planner. The parts have
 * places of their own, as `beyond.ttys`, which stand in the operations for JSON paths.
 */

import { CreateKind, MountFlag, type Op } from "../wire/ops.ts";

/** A program that init runs, beside hooks of the specification. */
export interface InnerHook {
  /** What asks for it. */
  readonly from: string;
  /** argv; the first is the program, an absolute path. */
  readonly args: readonly string[];
  /** `NAME=VALUE`, beside what the program has. */
  readonly env: readonly string[];
}

/** When init runs a hook: before there is a root, with all mounts, before there are nodes, at last. */
export type InnerStage = "pre-mount" | "mount" | "autodev" | "start";

/** What is particular to a mount of the configuration. */
export interface MountRule {
  /** Its mount point must be there. */
  readonly existing: boolean;
  /** It is left out where its source or mount point is not there. */
  readonly optional: boolean;
}

/** A system container. */
export interface SystemInput {
  /** /dev gets the usual nodes and links. */
  readonly populateDev: boolean;
  /** By `mounts[0]` and so on; others make the mount points that they need. */
  readonly mounts: Readonly<Record<string, MountRule>>;
  readonly hooks: Readonly<Partial<Record<InnerStage, readonly InnerHook[]>>>;
}

/** Operations of mounts as the rules of a system container have them. */
export function byRule(ops: readonly Op[], system: SystemInput | undefined): readonly Op[] {
  if (system === undefined) return ops;
  return ops.map((step) => {
    const rule = system.mounts[step.from];
    if (rule === undefined || step.op !== "mount") return step;
    return {
      ...step,
      create: rule.existing ? CreateKind.none : step.create,
      flags: step.flags | (rule.optional ? MountFlag.optional : 0),
    };
  });
}
