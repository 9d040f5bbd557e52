/** Namespaces as the options of LXC's commands name them. */

import { nearest } from "../base/nearest.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { NAMESPACES } from "../lxc/config/values_more.ts";
import type { NamespaceType } from "../spec/types/config.ts";

/** Names that only these options have, and those of the kernel. */
const OLD: Readonly<Record<string, string>> = { mount: "mnt", utsname: "uts", network: "net" };

/** `MOUNT|PID`, or `mnt|pid`. */
export function namespacesOf(text: string): NamespaceType[] {
  return text.split("|").map((word) => {
    const name = word.trim().toLowerCase();
    const type = NAMESPACES[OLD[name] ?? name];
    if (type !== undefined) return type;
    const near = nearest(name, [...Object.keys(OLD), ...Object.keys(NAMESPACES)]);
    throw new RuntsError(`${quote(word)} is not a namespace`, {
      hint: near === undefined
        ? "as MOUNT, PID, UTSNAME, IPC, USER, NETWORK, CGROUP, TIME"
        : `did you mean ${quote(near.toUpperCase())}?`,
    });
  });
}
