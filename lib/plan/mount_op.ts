/** What the files about mounts share. */

import { quote } from "../base/errors.ts";
import { MountAttr, type ParsedMountOptions } from "../spec/values/mount_options.ts";
import type { Mount } from "../spec/types/config.ts";
import type { PlanWriter } from "./plan_writer.ts";
import { CreateKind, MountKind, type Op, type OpOf } from "../wire/ops.ts";

/** The operations of the mounts, by when they are performed. */
export interface MountPlan {
  /** In the host's namespaces. */
  readonly early: Op[];
  /** In the host's namespaces, when everything there has been opened. */
  readonly locks: Op[];
  readonly ops: Op[];
  /** When nothing is made below the mounts any more. */
  readonly late: Op[];
  /** When all mounts have got the propagation of the root. */
  readonly last: Op[];
}

type MountFields = Omit<OpOf<"mount">, "op">;

const NO_MOUNT: MountFields = {
  from: "",
  kind: MountKind.filesystem,
  source: "",
  slot: -1,
  destination: "",
  fstype: "",
  superblock: [],
  data: [],
  attr_set: 0,
  attr_clear: 0,
  attr_rest: 0,
  rec_set: 0,
  rec_clear: 0,
  propagation: [],
  create: CreateKind.none,
  flags: 0,
  keep: -1,
};

/** A mount operation; what is not given is empty. */
export function mountOp(fields: Partial<MountFields>): OpOf<"mount"> {
  return { op: "mount", ...NO_MOUNT, ...fields };
}

/**
 * The fields of a bind mount that stands in for a filesystem that the container may not mount: the
 * attributes are those of all that comes with it. Nothing is cleared, and its access times stay those
 * of the host: a user namespace locks them.
 */
export function wholeTree(common: MountRequest["common"]): MountRequest["common"] {
  const { destination, attr_set = 0, rec_set = 0, ...rest } = common;
  const set = Number(attr_set) | Number(rec_set);
  return {
    ...rest,
    destination,
    attr_set: 0,
    attr_clear: 0,
    attr_rest: 0,
    rec_set: set & ~(MountAttr.atime | MountAttr.nodiratime),
    rec_clear: 0,
  };
}

/** A mount of the configuration with all that follows from its options. */
export interface MountRequest {
  readonly from: string;
  readonly type: string;
  readonly source: string;
  readonly options: ParsedMountOptions;
  /** Fields that every kind of mount takes from the options. */
  readonly common: Partial<MountFields> & { readonly destination: string };
  readonly mount: Mount;
}

/** Says which options have no effect because there is no new filesystem to take them. */
export function warnOfView(writer: PlanWriter, { from, options, type }: MountRequest): void {
  for (const option of options.data) {
    writer.warnings.push(
      `${from}: ${quote(option)} is left out: the container gets a view of the host's ${type}`,
    );
  }
}
