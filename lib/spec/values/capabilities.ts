/** Capabilities: names and numbers (capabilities(7), linux/capability.h of Linux 6.12). */

/** Names in the order of their numbers, from 0. */
export const CAPABILITIES = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const;

/** The number of a name in any case, with or without CAP_ (`CAP_KILL`, `kill` → 5), or undefined. */
export function capabilityNumber(name: string): number | undefined {
  const upper = name.toUpperCase();
  const full = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  const number = (CAPABILITIES as readonly string[]).indexOf(full);
  return number < 0 ? undefined : number;
}

/** A set of capabilities. */
interface CapabilitySet {
  /** Bit N is capability N. */
  readonly mask: bigint;
  /** Names that this list does not know, as they were given. */
  readonly unknown: readonly string[];
}

/** The bit mask of names. */
export function capabilitySet(names: readonly string[]): CapabilitySet {
  let mask = 0n;
  const unknown: string[] = [];
  for (const name of names) {
    const number = capabilityNumber(name);
    if (number !== undefined) mask |= 1n << BigInt(number);
    else unknown.push(name);
  }
  return { mask, unknown };
}
