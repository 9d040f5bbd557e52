/** Which namespaces of a container a further process must join. */

import { ENOENT } from "../base/errno.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** Names below /proc/PID/ns (namespaces(7)) of namespaces that are not called so there. */
const NAMES: Readonly<Record<string, string>> = { mount: "mnt", network: "net" };

/** One of the caller's. */
interface OwnNamespace {
  /** Its name below /proc/PID/ns. */
  readonly name: string;
  readonly flag: number;
  /** Which it is. */
  readonly link: string;
}

/** Those of the caller, which stay its own as long as it has commands carried out. */
function ownNamespaces(proc: string): OwnNamespace[] {
  return Object.entries(NAMESPACE_FLAGS).flatMap(([type, flag]) => {
    const name = NAMES[type] ?? type;
    const link = linkOf(`${proc}/ns/${name}`);
    // A kernel without time namespaces (before Linux 5.6) has no such file.
    return link === undefined ? [] : [{ name, flag, link }];
  });
}

/** The mask of those that differ from the caller's; `root` when it has no mount namespace of its own. */
export function namespacesToJoin(
  { host }: Pick<Runtime, "host">,
  pid: number,
): { namespaces: number; root?: string } {
  let namespaces = 0;
  for (const { name, flag, link } of host.get(ownNamespaces)) {
    if (link !== linkOf(`/proc/${pid}/ns/${name}`)) namespaces |= flag;
  }
  return (namespaces & NAMESPACE_FLAGS.mount) !== 0
    ? { namespaces }
    : { namespaces, root: `/proc/${pid}/root` };
}

function linkOf(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch (cause) {
    if (errnoOf(cause) === ENOENT) return undefined;
    throw new RuntsError(`read ${quote(path)}`, { cause });
  }
}
