/** Kinds of root filesystems, as `-B` names them. */

import { quote, RuntsError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { ROOTFS_DRIVERS } from "../config/values_more.ts";

/** Those that LXC has names for. */
const NAMES: readonly string[] = [...ROOTFS_DRIVERS, "overlayfs", "best", "none"];

/** Throws RuntsError for a kind that cannot be made; `best` is the first of those that can. */
export function checkBacking(kind: string | undefined, known: readonly string[]): string {
  const name = kind === undefined || kind === "best" ? known[0]! : kind;
  const wanted = name === "overlayfs" ? "overlay" : name;
  if (known.includes(wanted)) return wanted;
  const ours = `it is one of ${known.join(", ")}`;
  if (NAMES.includes(wanted)) {
    throw new RuntsError(`a root filesystem of the kind ${quote(kind)} cannot be made`, {
      hint: ours,
    });
  }
  const near = nearest(wanted, NAMES);
  throw new RuntsError(`${quote(kind)} is no kind of root filesystem`, {
    hint: near === undefined ? ours : `did you mean ${quote(near)}?`,
  });
}
