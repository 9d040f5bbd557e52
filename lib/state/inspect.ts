/** What state a container is in, from its directory and the process that it names. */

import { frozenByRecord } from "../cgroup/frozen.ts";
import { RuntsError } from "../base/errors.ts";
import type { Intent, StateDirectory } from "./directory.ts";
import { isAlive, readStat } from "./liveness.ts";
import type { Status } from "./status.ts";

/** The spec's four, and `paused` as runc and crun have it. */
type ContainerState = "creating" | "created" | "running" | "paused" | "stopped";

/** A container as it is now. */
export interface Inspection {
  readonly state: ContainerState;
  /** For a container that was never finished: what create had set out to make. */
  readonly status: Status;
  /** Whether create got to its end. */
  readonly complete: boolean;
  /** What a create that has not got to its end had written down. */
  readonly intent?: Intent;
}

/** Looks at a container. An unknown one is `container does not exist`. */
export function inspect(directory: StateDirectory): Inspection {
  if (!directory.exists()) throw doesNotExist();
  let status = directory.readStatus();
  const intent = status === undefined ? directory.readIntent() : undefined;
  // When there is neither, create may just have got to its end.
  if (intent === undefined) status ??= directory.readStatus();
  if (status !== undefined) return { state: stateOf(directory, status), status, complete: true };
  const creating = intent !== undefined && isAlive(intent.creator.pid, intent.creator.startTime);
  if (!creating && !directory.exists()) throw doesNotExist();
  return {
    state: creating ? "creating" : "stopped",
    status: intent?.status ?? UNKNOWN,
    complete: false,
    ...(intent && { intent }),
  };
}

/** The error for an id that names no container; clients look for its words. */
export function doesNotExist(): RuntsError {
  return new RuntsError("container does not exist");
}

function stateOf(directory: StateDirectory, status: Status): ContainerState {
  if (!isAlive(status.pid, status.startTime) || !isThisBoot(status)) return "stopped";
  // One that waits to be started can be paused, too, and must be resumed before it is started.
  if (frozenByRecord(status.cgroup, status.pid)) return "paused";
  if (!directory.waitsForStart()) return "running";
  // A start that was killed may have let init go and left the fifo.
  return readStat(status.pid)?.executed ? "running" : "created";
}

/** This boot's id; a pid and start time of another boot may match by chance. */
export function bootId(): string {
  return boot ??= Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
}

/** `list` asks for every container. */
let boot: string | undefined;

function isThisBoot(status: Status): boolean {
  return status.bootId === undefined || status.bootId === bootId();
}

const UNKNOWN: Status = {
  pid: 0,
  startTime: 0,
  cgroupPath: "",
  scope: "",
  rootfs: "",
  systemdCgroup: false,
  bundle: "",
  created: "",
  owner: "",
  detached: true,
  externalDescriptors: [],
};
