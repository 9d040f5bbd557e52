/** What users may do that are not root. */

import { rangesOf, type SubordinateFile, userName } from "../userns/subordinate_ids.ts";
import { whyRefused } from "../userns/policy.ts";
import { type Check, type Checks, type Host, works } from "./findings.ts";

/** Ids that images use: those of a user, and nobody. */
const ENOUGH = 65536;
const SET_USER_ID = 0o4000;

export const USERS: Checks = {
  "user namespaces": ({ has, proc, text }) => {
    if (!has(`${proc}/ns/user`)) return undefined; // among the namespaces of the kernel
    const why = whyRefused("/proc/sys", text);
    if (why === undefined) return works("may be made");
    return {
      condition: "missing",
      found: why,
      effect: "containers of ordinary users, or with linux.uidMappings, will not work",
      remedy: why.includes("max_user_namespaces")
        ? "sysctl user.max_user_namespaces=28633"
        : why.includes("unprivileged_userns_clone")
        ? "sysctl kernel.unprivileged_userns_clone=1"
        : "an AppArmor profile for runts with the rule userns",
    };
  },
  "subordinate user ids": (host) => ids(host, "/etc/subuid"),
  "subordinate group ids": (host) => ids(host, "/etc/subgid"),
  newuidmap: (host) => tool(host, "newuidmap"),
  newgidmap: (host) => tool(host, "newgidmap"),
  "runtime directory": ({ isRoot, uid, variable, has }) => {
    if (isRoot) return undefined;
    const directory = variable("XDG_RUNTIME_DIR") ?? `/run/user/${uid}`;
    if (has(directory)) return works(directory);
    return {
      condition: "missing",
      found: `no ${directory}`,
      effect: "the state of containers has no place",
      remedy: "log in, or enable lingering: loginctl enable-linger; or give --root",
    };
  },
};

/** Real root maps whatever ids it likes. */
function ids({ isRoot, uid, text }: Host, file: SubordinateFile): ReturnType<Check> {
  if (isRoot) return undefined;
  const name = userName(uid, text("/etc/passwd") ?? "");
  const ranges = rangesOf(text(file) ?? "", uid, name);
  const count = ranges.reduce((sum, range) => sum + range.count, 0);
  if (count >= ENOUGH) return works(`${count}`);
  const option = file === "/etc/subuid" ? "--add-subuids" : "--add-subgids";
  return {
    condition: "missing",
    found: `${count} in ${file}`,
    effect: `containers that use ${ENOUGH} ids will not work`,
    remedy: `as root: usermod ${option} 100000-165535 ${name ?? uid}`,
  };
}

function tool({ isRoot, program, mode }: Host, name: string): ReturnType<Check> {
  if (isRoot) return undefined;
  const effect = "only one id can be mapped";
  const path = program(name);
  if (path === undefined) {
    const remedy = "install the package uidmap (shadow-utils elsewhere)";
    return { condition: "missing", found: "not in PATH", effect, remedy };
  }
  // Some distributions give it the capability of a file instead, which cannot be seen from here.
  if ((mode(path) & SET_USER_ID) !== 0) return works(path);
  return {
    condition: "note",
    found: `${path} is not set-user-ID root`,
    effect: `unless it has capabilities of its own (getcap ${path}), ${effect}`,
  };
}
