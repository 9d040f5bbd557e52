/** Values that have parts. */

import { quote } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import { RLIM_INFINITY, RLIMITS } from "../../spec/values/rlimits.ts";
import type { NamespaceType, TimeOffset } from "../../spec/types/config.ts";
import { guessText, type Report } from "./place.ts";
import { wordsOf } from "./values.ts";

/** Names of LXC's for namespaces (/proc/PID/ns), and those of the runtime specification. */
export const NAMESPACES: Readonly<Record<string, NamespaceType>> = {
  mnt: "mount",
  pid: "pid",
  uts: "uts",
  ipc: "ipc",
  net: "network",
  user: "user",
  cgroup: "cgroup",
  time: "time",
};

/** Names of namespaces, separated by blanks. */
export function namespaces(value: string, report: Report): NamespaceType[] {
  return wordsOf(value).flatMap((name) => {
    const type = Object.hasOwn(NAMESPACES, name) ? NAMESPACES[name] : undefined;
    if (type === undefined) {
      const near = name === "mount" ? "mnt" : nearest(name, Object.keys(NAMESPACES));
      report(`is not one of ${Object.keys(NAMESPACES).join(", ")}`, name, guessText(near));
    }
    return type ?? [];
  });
}

/** The name of a namespace as LXC writes it. */
export function namespaceName(type: NamespaceType): string {
  return Object.keys(NAMESPACES).find((name) => NAMESPACES[name] === type)!;
}

/** The architectures that LXC knows, by whether their programs see a machine of 32 bits. */
const ARCHITECTURES: Readonly<Record<string, 32 | 64>> = {
  arm: 32,
  armel: 32,
  armhf: 32,
  armv7l: 32,
  athlon: 32,
  i386: 32,
  i486: 32,
  i586: 32,
  i686: 32,
  linux32: 32,
  mips: 32,
  mipsel: 32,
  ppc: 32,
  powerpc: 32,
  x86: 32,
  amd64: 64,
  arm64: 64,
  aarch64: 64,
  linux64: 64,
  loongarch64: 64,
  mips64: 64,
  mips64el: 64,
  ppc64: 64,
  ppc64el: 64,
  ppc64le: 64,
  powerpc64: 64,
  riscv64: 64,
  s390x: 64,
  x86_64: 64,
};

/** An architecture: how many bits a machine has that its programs see. */
export function architecture(value: string, report: Report): 32 | 64 {
  const bits = Object.hasOwn(ARCHITECTURES, value) ? ARCHITECTURES[value] : undefined;
  if (bits === undefined) {
    const names = Object.keys(ARCHITECTURES);
    report(`is not one of ${names.join(", ")}`, value, guessText(nearest(value, names)));
  }
  return bits ?? 64;
}

/** A line of uid_map or gid_map (user_namespaces(7)). */
export interface IdRange {
  readonly type: "u" | "g";
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

const IDS = 2 ** 32 - 1;

/** `u 0 100000 65536`. */
export function idRange(value: string, report: Report): IdRange {
  const match = /^([ug])\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})$/.exec(value);
  if (match === null) {
    report("is not a range of ids", value, 'as "u 0 100000 65536" or "g 0 100000 65536"');
    return { type: "u", inside: 0, outside: 0, count: 1 };
  }
  const [inside, outside, count] = match.slice(2).map(Number) as [number, number, number];
  if (count === 0) report("is a range of no ids");
  else if (Math.max(inside, outside) + count > IDS) report(`goes beyond the id ${IDS - 1}`);
  return { type: match[1] as "u" | "g", inside, outside, count };
}

/** A soft and a hard limit (getrlimit(2)). */
export interface Limit {
  readonly soft: bigint;
  readonly hard: bigint;
}

/** Names as LXC writes them: `nofile`. */
export const LIMITS: readonly string[] = RLIMITS.map((name) => name.slice(7).toLowerCase());

/** `N`, `SOFT:HARD`; either may be `unlimited`. */
export function limit(value: string, report: Report): Limit {
  const match = /^(unlimited|\d{1,20})(?:\s*:\s*(unlimited|\d{1,20}))?$/.exec(value);
  if (match === null) {
    report("is not a limit", value, 'as "1024", "1024:4096" or "unlimited"');
    return { soft: 0n, hard: 0n };
  }
  const soft = limitValue(match[1]!);
  const hard = match[2] === undefined ? soft : limitValue(match[2]);
  if (soft > hard) report("has a soft limit above the hard one");
  return { soft, hard };
}

function limitValue(word: string): bigint {
  const value = word === "unlimited" ? RLIM_INFINITY : BigInt(word);
  return value > RLIM_INFINITY ? RLIM_INFINITY : value;
}

/** Nanoseconds of each unit. */
const UNITS: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  ns: 1n,
};

/** A time of one unit: `-3s`, `100ms`. The part below a second is never negative. */
export function timeOffset(value: string, report: Report): TimeOffset {
  const match = /^([+-]?\d{1,18})\s*(h|ms|m|us|ns|s)$/.exec(value);
  if (match === null) {
    report("is not a time", value, 'as "24h", "-30m", "5s", "100ms", "10us" or "7ns"');
    return {};
  }
  const total = BigInt(match[1]!) * UNITS[match[2]!]!;
  const nanosecs = ((total % UNITS.s!) + UNITS.s!) % UNITS.s!;
  return { secs: (total - nanosecs) / UNITS.s!, nanosecs: Number(nanosecs) };
}

/** Where the root filesystem comes from. */
interface RootfsSource {
  readonly driver: RootfsDriver;
  /** What follows the driver, in parts: overlay has its lower directories and the upper one. */
  readonly parts: readonly string[];
}

export const ROOTFS_DRIVERS = [
  "dir",
  "overlay",
  "loop",
  "nbd",
  "btrfs",
  "zfs",
  "lvm",
  "rbd",
] as const;
export type RootfsDriver = (typeof ROOTFS_DRIVERS)[number];

/** `/path`, `dir:/path`, `overlay:LOWER:UPPER`, `loop:FILE` and so on. */
export function rootfsSource(value: string, report: Report): RootfsSource {
  if (value.startsWith("/")) return { driver: "dir", parts: [value] };
  const colon = value.indexOf(":");
  const name = value.slice(0, Math.max(0, colon)).replace(/^(?:overlayfs|aufs)$/, "overlay");
  const driver = ROOTFS_DRIVERS.find((one) => one === name);
  if (driver === undefined) {
    const near = colon < 0 ? undefined : nearest(name, ROOTFS_DRIVERS);
    const drivers = ROOTFS_DRIVERS.map((one) => `${one}:`).join(", ");
    report(`is neither an absolute path nor begins with one of ${drivers}`, value, guessText(near));
    return { driver: "dir", parts: [value] };
  }
  const rest = value.slice(colon + 1);
  const parts = driver === "overlay" ? rest.split(":") : [rest];
  const isPath = driver !== "zfs" && driver !== "rbd";
  if (driver === "overlay" && parts.length < 2) {
    report("has no upper directory", value, 'as "overlay:/lower:/upper"');
  }
  for (const part of parts) {
    if (part === "" || (isPath && !part.startsWith("/"))) report("is not an absolute path", part);
  }
  return { driver, parts };
}

/** What is mounted without being listed (`lxc.mount.auto`). */
export type AutoMount =
  | { readonly what: "proc"; readonly mode: "mixed" | "rw" }
  | { readonly what: "sys"; readonly mode: "mixed" | "ro" | "rw" }
  | {
    readonly what: "cgroup" | "cgroup-full";
    /** Absent: as the capabilities of the container have it. */
    readonly mode?: "mixed" | "ro" | "rw";
    readonly force: boolean;
    /** Hierarchies of version 2 alone. */
    readonly unified: boolean;
  }
  | { readonly what: "shmounts"; readonly host: string; readonly inside: string };

/** Modes of each word. */
const AUTO_MODES: Readonly<Record<string, readonly string[]>> = {
  proc: ["mixed", "rw"],
  sys: ["mixed", "ro", "rw"],
  cgroup: ["mixed", "ro", "rw"],
  cgroup2: ["mixed", "ro", "rw"],
  "cgroup-full": ["mixed", "ro", "rw"],
};

const SHMOUNTS = "/dev/.lxc-mounts";

/** Words as `proc:mixed`, separated by blanks. */
export function autoMounts(value: string, report: Report): AutoMount[] {
  return wordsOf(value).flatMap((word) => {
    const found = autoMount(word);
    if (found !== undefined) return found;
    report("is not known", word, nearAuto(word) ?? `it is one of ${AUTO_WORDS().join(", ")}`);
    return [];
  });
}

const AUTO_WORDS = () => [
  ...Object.entries(AUTO_MODES).flatMap(([what, modes]) => [
    what,
    ...modes.map((mode) => `${what}:${mode}`),
  ]),
  "shmounts:HOST[:CONTAINER]",
];

function nearAuto(word: string): string | undefined {
  const [what = ""] = word.split(":");
  const modes = Object.hasOwn(AUTO_MODES, what) ? AUTO_MODES[what] : undefined;
  if (modes === undefined) return guessText(nearest(word, AUTO_WORDS()));
  return `it is one of ${[what, ...modes.map((mode) => `${what}:${mode}`)].map(quote).join(", ")}`;
}

function autoMount(word: string): AutoMount | undefined {
  const [what = "", ...rest] = word.split(":");
  if (what === "shmounts") {
    const [host = "", inside = SHMOUNTS, ...more] = rest;
    if (!host.startsWith("/") || more.length > 0) return undefined;
    return { what, host, inside: inside || SHMOUNTS };
  }
  const modes = Object.hasOwn(AUTO_MODES, what) ? AUTO_MODES[what]! : [];
  const isCgroup = what.startsWith("cgroup");
  const force = isCgroup && rest.at(-1) === "force";
  const [mode, ...more] = force ? rest.slice(0, -1) : rest;
  if (modes.length === 0 || more.length > 0) return undefined;
  if (mode !== undefined && !modes.includes(mode)) return undefined;
  if (!isCgroup) return { what, mode: mode ?? "mixed" } as AutoMount;
  const full = what === "cgroup-full" ? what : "cgroup";
  const given = mode as "mixed" | "ro" | "rw" | undefined;
  return { what: full, ...(given && { mode: given }), force, unified: what === "cgroup2" };
}
