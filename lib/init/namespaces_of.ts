/** Which namespaces of a container a further process must join. */

import type { Caller } from "../base/caller.ts";
import { ENOENT } from "../base/errno.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";

/** Names below /proc/PID/ns (namespaces(7)) of namespaces that are not called so there. */
const NAMES: Readonly<Record<string, string>> = { mount: "mnt", network: "net" };

/** The mask of those that differ from the caller's; `root` when it has no mount namespace of its own. */
export function namespacesToJoin(
  { proc }: Caller,
  pid: number,
): { namespaces: number; root?: string } {
  let namespaces = 0;
  for (const [type, flag] of Object.entries(NAMESPACE_FLAGS)) {
    const name = NAMES[type] ?? type;
    const own = link(`${proc}/ns/${name}`);
    // A kernel without time namespaces (before Linux 5.6) has no such file.
    if (own !== undefined && own !== link(`/proc/${pid}/ns/${name}`)) namespaces |= flag;
  }
  return (namespaces & NAMESPACE_FLAGS.mount) !== 0
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
