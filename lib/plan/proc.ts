/** What the configuration may put over /proc, which programs and runtimes trust. */

import { quote, RuntsError } from "../base/errors.ts";
import type { MountRequest } from "./mount_op.ts";

const PROC = "/proc";

/** Files that only inform, and for which there are substitutes (lxcfs); the list is runc's. */
const SUBSTITUTED = [
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/loadavg",
  "/proc/meminfo",
  "/proc/net/dev",
  "/proc/slabinfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/sys/crypto/fips_enabled",
  "/proc/sys/kernel/ns_last_pid",
  "/proc/uptime",
];

/**
 * Refuses a mount that would hide what /proc tells of processes, or the files that labels, limits
 * and parameters are written to (CVE-2019-16884). Init looks at where symlinks lead.
 */
export function checkProcMount({ common, type, options, from }: MountRequest, bind: boolean): void {
  const path = withoutParents(common.destination);
  if (options.remount || !path.startsWith(PROC)) return;
  const configPath = `${from}.destination`;
  if (path === PROC) {
    if (bind || type === "proc") return;
    throw new RuntsError(`mount ${quote(type)} on ${quote(PROC)}: only a procfs may lie there`, {
      configPath,
    });
  }
  if (!isInProc(path) || SUBSTITUTED.includes(path)) return;
  throw new RuntsError(`mount on ${quote(common.destination)}: it lies in a procfs`, {
    configPath,
    hint: `nothing may be mounted below /proc but on ${SUBSTITUTED.join(", ")}`,
  });
}

export function isProc(path: string): boolean {
  return withoutParents(path) === PROC;
}

export function isInProc(path: string): boolean {
  return withoutParents(path).startsWith(`${PROC}/`);
}

/** The path with `..` taken back, as it is where there are no symlinks. */
function withoutParents(path: string): string {
  if (!path.includes("/..")) return path;
  const parts: string[] = [];
  for (const part of path.split("/").slice(1)) {
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}
