/** Kernel parameters that belong to a namespace (config-linux.md, "Sysctl"). */

import type { NamespaceType } from "../types/config.ts";

/** Those of System V IPC: ipc_sysctls of the kernel's ipc/ipc_sysctl.c. */
const IPC = [
  "auto_msgmni",
  "msg_next_id",
  "msgmax",
  "msgmnb",
  "msgmni",
  "sem",
  "sem_next_id",
  "shm_next_id",
  "shm_rmid_forced",
  "shmall",
  "shmmax",
  "shmmni",
];

/**
 * The name as a path below /proc/sys: `net/ipv4/ip_forward` for `net.ipv4.ip_forward`. As in
 * sysctl.d(5), the first separator decides: after a dot, a slash stands for a dot within a name
 * (`net.ipv4.conf.eno2/100.rp_filter`); after a slash, dots are plain.
 */
export function sysctlPath(name: string): string {
  const slash = name.indexOf("/");
  if (slash < 0) return name.replaceAll(".", "/");
  const dot = name.indexOf(".");
  if (dot < 0 || slash < dot) return name;
  return name.replace(/[./]/g, (separator) => separator === "." ? "/" : ".");
}

/** The namespace that a parameter belongs to; undefined for those of the whole host. */
export function sysctlNamespace(name: string): NamespaceType | undefined {
  const [room, parameter, ...rest] = sysctlPath(name).split("/");
  if (room === "net" && parameter !== undefined) return "network";
  if (room === "fs" && parameter === "mqueue") return "ipc";
  if (room === "user" && parameter !== undefined) return "user";
  if (room !== "kernel" || parameter === undefined || rest.length > 0) return undefined;
  if (parameter === "hostname" || parameter === "domainname") return "uts";
  return IPC.includes(parameter) ? "ipc" : undefined;
}

/** Whether a name stays below /proc/sys. */
export function isSysctlName(name: string): boolean {
  const parts = sysctlPath(name).split("/");
  return parts.every((part) => part !== "" && part !== "." && part !== "..");
}
