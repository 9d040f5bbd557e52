/** What a user namespace locks of the mounts below a bind source. */

import { quote, RuntsError } from "../base/errors.ts";
import { MountAttr } from "../spec/values/mount_options.ts";
import type { MountRequest } from "./mount_op.ts";
import type { PlanWriter } from "./plan_writer.ts";

/** Attributes as mountinfo has them, and the recursive option that clears them. */
const LOCKABLE: readonly (readonly [flag: string, attribute: number, opposite: string])[] = [
  ["ro", MountAttr.rdonly, "rrw"],
  ["nosuid", MountAttr.nosuid, "rsuid"],
  ["nodev", MountAttr.nodev, "rdev"],
  ["noexec", MountAttr.noexec, "rexec"],
  ["nodiratime", MountAttr.nodiratime, "rdiratime"],
];

/**
 * Refuses a recursive option that would clear what the host has set on a mount below the source. The
 * kernel does not: the source is opened before the user namespace is entered, and init can ask after
 * the attributes of its topmost mount alone.
 */
export function refuseUnlocking(writer: PlanWriter, request: MountRequest, source: string): void {
  const { from, common, options: { recSet, recClear } } = request;
  if (recClear === 0) return;
  for (const { path, options } of writer.host.mountsBelow?.(source) ?? []) {
    const flags = options.split(",");
    const named = LOCKABLE.find(([flag, attribute]) =>
      recClear & ~recSet & attribute && flags.includes(flag)
    )?.[2];
    const atime = recClear & MountAttr.atime && (recSet & MountAttr.atime) !== MountAttr.noatime &&
      flags.includes("noatime");
    if (named === undefined && !atime) continue;
    const what = named === undefined ? "another setting of access times" : quote(named);
    throw new RuntsError(`bind ${quote(source)} on ${quote(common.destination)}`, {
      configPath: from,
      cause: `${what} is refused: the user namespace locks the attributes of ${quote(path)}`,
    });
  }
}
