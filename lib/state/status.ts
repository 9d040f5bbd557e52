/**
 * The status file of a container: crun's fields, and after them our own, which crun ignores.
 * It is written by temp file and rename, so a reader sees all of it or the one before.
 */

import type { CgroupRecord } from "../cgroup/manager.ts";
import { quote, RuntsError } from "../base/errors.ts";

/** What is recorded of a container. */
export interface Status {
  /** Process id of init, as runts sees it; 0 before there is one. */
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTime: number;
  readonly cgroupPath: string;
  readonly scope: string;
  /** As config.json has it: absolute, or relative to the bundle. */
  readonly rootfs: string;
  readonly systemdCgroup: boolean;
  readonly bundle: string;
  /** RFC 3339. */
  readonly created: string;
  /** Name of the user who created it. */
  readonly owner: string;
  readonly detached: boolean;
  /** What descriptors 0, 1 and 2 were, for checkpoint. */
  readonly externalDescriptors: readonly string[];
  /** Ours. Absent in a status file that crun wrote. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly bootId?: string;
  readonly cgroup?: CgroupRecord;
  /** What init does once it is started, to name what failed. */
  readonly startOps?: readonly StartOp[];
  /** Ids of the mounts that create made on the host, for want of a mount namespace. */
  readonly hostMounts?: readonly number[];
}

/** An operation of the plan after the wait at the fifo: its index, name and JSON path. */
export interface StartOp {
  readonly index: number;
  readonly op: string;
  readonly from: string;
  /** Of a hook. */
  readonly path?: string;
}

/** The status as the file has it: crun's key names, crun's order. */
export function formatStatus(status: Status): string {
  return JSON.stringify(
    {
      "pid": status.pid,
      "process-start-time": status.startTime,
      "cgroup-path": status.cgroupPath,
      "scope": status.scope,
      "rootfs": status.rootfs,
      "systemd-cgroup": status.systemdCgroup,
      "bundle": status.bundle,
      "created": status.created,
      "owner": status.owner,
      "detached": status.detached,
      "external_descriptors": JSON.stringify(status.externalDescriptors),
      "annotations": status.annotations ?? {},
      "boot-id": status.bootId,
      "cgroup": status.cgroup,
      "start-ops": status.startOps,
      "host-mounts": status.hostMounts,
    },
    null,
    4,
  ) + "\n";
}

/** Reads what {@linkcode formatStatus} or crun wrote; throws naming the field that is wrong. */
export function parseStatus(text: string, file: string): Status {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw damaged(file, text === "" ? "it is empty" : "it is not JSON");
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw damaged(file, "it holds no object");
  }
  const fields = document as Record<string, unknown>;
  const cgroup = fields["cgroup"] as CgroupRecord | undefined;
  const bootId = field(fields, "boot-id", "string", file, "");
  const annotations = record(fields["annotations"]);
  return {
    pid: count(fields, "pid", file),
    startTime: count(fields, "process-start-time", file),
    cgroupPath: field(fields, "cgroup-path", "string", file, ""),
    scope: field(fields, "scope", "string", file, ""),
    rootfs: field(fields, "rootfs", "string", file, ""),
    systemdCgroup: field(fields, "systemd-cgroup", "boolean", file, false),
    bundle: field(fields, "bundle", "string", file),
    created: field(fields, "created", "string", file, ""),
    owner: field(fields, "owner", "string", file, ""),
    detached: field(fields, "detached", "boolean", file, false),
    externalDescriptors: descriptors(fields["external_descriptors"]),
    ...(annotations && { annotations }),
    ...(bootId !== "" && { bootId }),
    ...(isCgroupRecord(cgroup) && { cgroup }),
    ...(isStartOps(fields["start-ops"]) && { startOps: fields["start-ops"] }),
    ...(isIds(fields["host-mounts"]) && { hostMounts: fields["host-mounts"] }),
  };
}

/** What helps when a record cannot be used. */
export const DAMAGED = "the container can be removed with delete --force";

function damaged(file: string, cause: string): RuntsError {
  return new RuntsError(`read status file ${quote(file)}`, { cause, hint: DAMAGED });
}

type Kinds = { string: string; boolean: boolean; number: number };

function field<K extends keyof Kinds>(
  fields: Record<string, unknown>,
  name: string,
  kind: K,
  file: string,
  fallback?: Kinds[K],
): Kinds[K] {
  const value = fields[name] ?? fallback;
  // deno-lint-ignore valid-typeof -- the kinds are names of types
  if (typeof value !== kind) {
    const found = value === undefined ? "missing" : `${quote(value)}, not a ${kind}`;
    throw damaged(file, `${quote(name)} is ${found}`);
  }
  return value as Kinds[K];
}

function count(fields: Record<string, unknown>, name: string, file: string): number {
  const value = field(fields, name, "number", file);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw damaged(file, `${quote(name)} is ${value}, out of range`);
}

function record(value: unknown): Record<string, string> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const texts = Object.entries(value).filter(([, text]) => typeof text === "string");
  return Object.fromEntries(texts);
}

/** crun writes the list as a string that holds JSON. */
function descriptors(value: unknown): string[] {
  let list = value;
  if (typeof value === "string") {
    try {
      list = JSON.parse(value);
    } catch {
      return [];
    }
  }
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}

const KINDS = ["v1", "v2", "systemd", "disabled"];

function isCgroupRecord(value: CgroupRecord | undefined): value is CgroupRecord {
  return typeof value === "object" && value !== null && KINDS.includes(value.kind) &&
    typeof value.path === "string" && ["string", "undefined"].includes(typeof value.subgroup) &&
    isRecordOf("string", value.paths) &&
    (value.inodes === undefined || isRecordOf("number", value.inodes));
}

function isRecordOf(kind: "string" | "number", value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((one) => typeof one === kind);
}

function isStartOps(value: unknown): value is StartOp[] {
  return Array.isArray(value) &&
    value.every((item) => typeof item?.index === "number" && typeof item?.op === "string");
}

/** Whether a value is a list of numbers of mounts. */
export function isIds(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
}
