/** What create sets out to make, decided from what is known before: nothing is made or read here. */

import type { CgroupJoin, CgroupRecord, CgroupRequest } from "../cgroup/manager.ts";
import type { OpenBundle } from "../caller/bundle.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import type { CreateOptions } from "../caller/options.ts";
import { ownsCgroup } from "../cgroup/ownership.ts";
import { areInherited } from "../init/spawn.ts";
import { planContainer } from "../plan/container.ts";
import { readNamespaces } from "../plan/namespaces.ts";
import type { ContainerPlan, PlanHost, ProcessOptions, SeccompFilter } from "../plan/plan.ts";
import type { SystemInput } from "../plan/system.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Spec } from "../spec/types/config.ts";
import type { StartOp, Status } from "../state/status.ts";
import { SPAWN_NAMESPACES } from "../wire/body.ts";

/** All that the plan of a container depends on. */
interface CreationRequest {
  readonly options: Pick<CreateOptions, "id" | "noPivot" | "noNewKeyring" | "preserveFds">;
  readonly bundle: OpenBundle;
  readonly host: PlanHost;
  readonly join: CgroupJoin;
  readonly seccomp: SeccompFilter | undefined;
  /** Somebody takes the master of its terminal. */
  readonly console: boolean;
  /** Of the caller's terminal. */
  readonly consoleSize?: { readonly height: number; readonly width: number };
  /** Descriptors of socket activation. */
  readonly listen?: ProcessOptions["listen"];
  /** To be mounted for NOTIFY_SOCKET. */
  readonly notifyDirectory?: string;
  readonly system?: SystemInput;
  /** Somebody beside the configuration wants to know when the namespaces are there. */
  readonly attended?: boolean;
}

/** The plan of init. */
export function planCreation(request: CreationRequest): ContainerPlan {
  const { options, bundle, join, seccomp, listen, attended = false, ...rest } = request;
  return planContainer({
    ...rest,
    id: options.id,
    spec: bundle.spec,
    bundle: bundle.path,
    cgroup: join,
    noPivot: options.noPivot ?? false,
    noNewKeyring: options.noNewKeyring ?? false,
    unattended: !attended && !actsOnNamespaces(bundle.spec),
    preserveFds: preservedFds(options, listen),
    ...(listen && { listen }),
    ...(seccomp && { seccomp }),
  });
}

/** What init can make before it has its plan (CLONE_NEW*): nothing that a user namespace is to own. */
export function earlyNamespaces({ linux = {} }: Spec): number {
  const { fresh, joined } = readNamespaces(linux);
  const isOwned = ((fresh | joined) & NAMESPACE_FLAGS.user) !== 0;
  return isOwned ? 0 : fresh & SPAWN_NAMESPACES;
}

/** Whether the configuration has runts do something as soon as the namespaces are there. */
function actsOnNamespaces(spec: Spec): boolean {
  const { hooks, linux } = spec;
  return hooks !== undefined || linux?.netDevices !== undefined || linux?.intelRdt !== undefined ||
    ownsCgroup(spec) !== undefined;
}

/**
 * Whether all that is recorded of a container is known while init is at work on the rest. Streams of the
 * caller are recorded as the caller has them.
 */
export function isSettled(
  { linux, process }: Spec,
  streams: Pick<CreateOptions, "stdin" | "stdout" | "stderr">,
): boolean {
  return process?.terminal !== true &&
    areInherited(streams) &&
    linux?.namespaces?.some(({ type }) => type === "mount") === true;
}

/** How many descriptors from 3 on the program gets of the caller's. */
export function preservedFds(
  { preserveFds = 0 }: Pick<CreateOptions, "preserveFds">,
  listen: ProcessOptions["listen"],
): number {
  return preserveFds + (listen?.fds ?? 0);
}

/** What is asked of the cgroup of a container that has this id. */
export function cgroupRequest(
  { cgroupManager, rootless }: Runtime,
  id: string,
  { linux, annotations }: Spec,
): CgroupRequest {
  const cgroupsPath = linux?.cgroupsPath;
  return {
    id,
    rootless,
    ...(cgroupManager && { manager: cgroupManager }),
    ...(cgroupsPath && { cgroupsPath }),
    ...(annotations && { annotations }),
  };
}

/** What is written down of a container, but for its process, who made it and when. */
export function recordedOf(
  { spec, path }: OpenBundle,
  record: CgroupRecord,
): Omit<Status, "pid" | "startTime" | "created" | "owner" | "externalDescriptors"> {
  return {
    cgroupPath: record.subgroup ? `${record.path}/${record.subgroup}` : record.path,
    scope: record.scope ?? "",
    rootfs: spec.root.path,
    systemdCgroup: record.kind === "systemd",
    bundle: path,
    detached: true,
    annotations: spec.annotations ?? {},
    cgroup: record,
  };
}

/** The operations after the wait at the fifo, for `start` to name one that failed, and the filter. */
export function startOps({ ops }: ContainerPlan): StartOp[] {
  const wait = ops.findIndex(({ op }) => op === "wait_start");
  return ops.flatMap((step, index) =>
    index <= wait && step.op !== "seccomp" ? [] : [{
      index,
      op: step.op,
      from: step.from,
      ...(step.op === "hook" && { path: step.path }),
    }]
  );
}
