/** Kernel parameters of namespaces that are joined by path: those of the host are not to change. */

import type { Caller } from "../base/caller.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { sysctlNamespace } from "../spec/values/sysctl.ts";
import type { Linux, NamespaceType } from "../spec/types/config.ts";

/** Files of /proc/PID/ns, for the kinds that own parameters. */
const FILES: Partial<Record<NamespaceType, string>> = {
  network: "net",
  ipc: "ipc",
  uts: "uts",
  user: "user",
};

/** Throws for a parameter of a namespace that the caller is in. */
export function refuseHostSysctls(
  { proc }: Caller,
  { sysctl = {}, namespaces = [] }: Linux,
): void {
  for (const name of Object.keys(sysctl)) {
    const type = sysctlNamespace(name);
    const file = type && FILES[type];
    const index = namespaces.findIndex((namespace) => namespace.type === type);
    const path = namespaces[index]?.path;
    if (!file || !path || !isSameFile(path, `${proc}/ns/${file}`)) continue;
    throw new RuntsError(`it would change the host, whose ${type} namespace ${quote(path)} is`, {
      configPath: `linux.sysctl[${quote(name)}]`,
      hint: `remove it, or linux.namespaces[${index}].path`,
    });
  }
}

/** Namespaces are told apart by device and inode (namespaces(7)). */
function isSameFile(path: string, own: string): boolean {
  try {
    const [a, b] = [Deno.statSync(path), Deno.statSync(own)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false; // init says what is wrong with the path
  }
}
