/** Which namespaces of a container a further process must join. */

import { ENOENT } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";

/** Names below /proc/PID/ns (namespaces(7)) and their CLONE_NEW* flags. */
const KINDS: readonly (readonly [name: string, flag: number])[] = [
  ["user", 0x10000000],
  ["mnt", 0x00020000],
  ["pid", 0x20000000],
  ["net", 0x40000000],
  ["ipc", 0x08000000],
  ["uts", 0x04000000],
  ["cgroup", 0x02000000],
  ["time", 0x00000080],
];
const NEW_MOUNTS = 0x00020000;

/** The mask of those that differ from ours; `root` when it has no mount namespace of its own. */
export function namespacesToJoin(pid: number): { namespaces: number; root?: string } {
  let namespaces = 0;
  for (const [name, flag] of KINDS) {
    const own = link(`/proc/self/ns/${name}`);
    // A kernel without time namespaces (before Linux 5.6) has no such file.
    if (own !== undefined && own !== link(`/proc/${pid}/ns/${name}`)) namespaces |= flag;
  }
  return (namespaces & NEW_MOUNTS) !== 0
    ? { namespaces }
    : { namespaces, root: `/proc/${pid}/root` };
}

function link(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch (cause) {
    if (errnoOf(cause) === ENOENT) return undefined;
    throw new RuntsError(`read ${quote(path)}`, { cause });
  }
}
