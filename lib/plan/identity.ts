/** Users, groups and capabilities. */

import { RuntsError } from "../base/errors.ts";
import { CAPABILITIES, capabilitySet } from "../spec/values/capabilities.ts";
import type { Capabilities, IdMapping, Linux, Process, Spec } from "../spec/types/config.ts";
import { userOf } from "../spec/values/user.ts";
import type { PlanWriter } from "./plan_writer.ts";

const CAP_SYS_ADMIN = 1n << 21n;
/** What `runc spec` of 1.1 asks for in vain: AUDIT_WRITE, KILL, NET_BIND_SERVICE. */
const TEMPLATE_AMBIENT = 1n << 29n | 1n << 5n | 1n << 10n;

/** How a process gets its ids. */
export interface IdentityPlan {
  readonly process: Process;
  /** 1: the supplementary groups stay as they are (`set_ids.groups_mode`). */
  readonly groupsMode: number;
  readonly masks: CapabilityMasks;
}

type CapabilityMasks = Readonly<Record<keyof Capabilities, bigint>>;

/** Reads user and capabilities; names that are unknown become warnings. */
export function readIdentity(writer: PlanWriter, spec: Spec, process: Process): IdentityPlan {
  const map = spec.linux?.gidMappings ?? [];
  const rootless = writer.host.euid !== 0;
  const kept = spec.annotations?.["run.oci.keep_original_groups"] === "1";
  const wanted = (userOf(process).additionalGids?.length ?? 0) > 0;
  // Whoever is not root may map one group without newgidmap, and then setgroups(2) is denied.
  const denied = writer.host.setgroupsDenied ??
    (rootless && map.length === 1 && map[0]!.size === 1);
  if (denied && !kept && wanted) {
    throw new RuntsError("supplementary groups cannot be set", {
      configPath: "process.user.additionalGids",
      hint: "setgroups is denied in the user namespace: map more than one group with newgidmap",
    });
  }
  // Whether a user namespace that is joined denies it is not known: nothing is lost by not asking.
  const unknown = writer.host.setgroupsDenied === undefined && rootless && map.length === 0 &&
    !wanted;
  return {
    process,
    groupsMode: denied || kept || unknown ? 1 : 0,
    masks: readCapabilities(writer, process.capabilities),
  };
}

function readCapabilities(writer: PlanWriter, capabilities: Capabilities = {}): CapabilityMasks {
  const warned = new Set<string>();
  const mask = (set: keyof Capabilities) => {
    const { mask, unknown } = capabilitySet(capabilities[set] ?? []);
    for (const name of unknown) {
      if (warned.has(name)) continue;
      warned.add(name);
      writer.warnings.push(`process.capabilities.${set}: unknown capability "${name}" is ignored`);
    }
    return mask;
  };
  const [permitted, inheritable] = [mask("permitted"), mask("inheritable")];
  const [bounding, effective, ambient] = [mask("bounding"), mask("effective"), mask("ambient")];
  const refuse = (set: keyof Capabilities, missing: bigint, why: string) => {
    if (missing === 0n) return;
    const names = CAPABILITIES.filter((_, bit) => missing >> BigInt(bit) & 1n).join(", ");
    writer.warnings.push(`process.capabilities.${set}: cannot grant ${names}: ${why}`);
  };
  refuse("permitted", permitted & ~bounding, "not in the bounding set");
  refuse("effective", effective & ~permitted, "not in the permitted set");
  // capabilities(7) allows no others.
  const raised = ambient & permitted & inheritable;
  if (inheritable !== 0n || ambient !== TEMPLATE_AMBIENT) {
    refuse("ambient", ambient & ~raised, "not both permitted and inheritable");
  }
  return { bounding, effective: effective & permitted, permitted, inheritable, ambient: raised };
}

/**
 * Root of the user namespace that was entered, which owns what is made from now on; the first id
 * of a map that has no root, which gives up no capabilities (capabilities(7)).
 */
export function becomeRoot(writer: PlanWriter, linux: Linux | undefined, groupsMode: number): void {
  const uid = highestId(linux?.uidMappings);
  const gid = highestId(linux?.gidMappings);
  writer.add({ op: "set_ids", from: "", uid, gid, groups: [], groups_mode: groupsMode });
}

/** Root, where it is mapped. */
export function highestId(map: readonly IdMapping[] = []): number {
  return map.some(({ containerID }) => containerID === 0) ? 0 : map[0]?.containerID ?? 0;
}

/** The ids of the program; the working directory is tried with and without root's rights. */
export function setIds(writer: PlanWriter, plan: IdentityPlan, createCwd: boolean): void {
  const { process, groupsMode, masks } = plan;
  const { uid, gid, additionalGids: groups = [] } = userOf(process);
  const from = "process.user";
  const chdir = (tolerate: number) =>
    writer.add({
      op: "chdir",
      from: "process.cwd",
      path: process.cwd,
      tolerate,
      create: Number(createCwd),
    });
  writer.add({ op: "bounding", from: "process.capabilities.bounding", mask: masks.bounding });
  if (uid !== 0) {
    chdir(1);
    writer.add({ op: "keep_caps", from, value: 1 });
  }
  writer.add({ op: "set_ids", from, uid, gid, groups, groups_mode: groupsMode });
  chdir(0);
}

export function setCapabilities(writer: PlanWriter, { masks }: IdentityPlan): void {
  const { effective, permitted, inheritable, ambient } = masks;
  const from = "process.capabilities";
  writer.add({ op: "caps", from, effective, permitted, inheritable, ambient });
}

/**
 * What loading a filter takes without no_new_privs, and all that is to be had afterwards: so that
 * as little as possible is done under the filter.
 */
export function setFilterCapabilities(writer: PlanWriter, { masks }: IdentityPlan): void {
  const { effective, permitted, inheritable } = masks;
  writer.add({
    op: "caps",
    from: "linux.seccomp",
    effective: effective | CAP_SYS_ADMIN,
    permitted: permitted | effective | inheritable | CAP_SYS_ADMIN,
    inheritable: 0,
    ambient: 0,
  });
}
