/** Operations in words, for errors, for `explain` and for the log. Not needed while all goes well. */

import { oneLine, quote } from "../base/errors.ts";
import { MountAttr, Propagation } from "../spec/values/mount_options.ts";
import {
  IO_PRIORITY_CLASSES,
  MEMORY_POLICY_FLAGS,
  MEMORY_POLICY_MODES,
  SCHEDULER_FLAGS,
  SCHEDULER_POLICIES,
} from "../spec/values/names.ts";
import { CAPABILITIES } from "../spec/values/capabilities.ts";
import { RLIM_INFINITY, RLIMITS } from "../spec/values/rlimits.ts";
import { Message } from "../wire/messages.ts";
import { NAMESPACE_FLAGS, S_IFBLK, S_IFIFO } from "../base/linux.ts";
import {
  LimitRaise,
  MountFlag,
  MountKind,
  NodeSource,
  type Op,
  type OpName,
  type OpOf,
} from "../wire/ops.ts";
import { MEMORY_FLAGS, MEMORY_MODES } from "./process.ts";

/** One line, without the configuration path: `mount proc on /proc (nosuid,noexec,nodev)`. */
export function describeOp(op: Op): string {
  return oneLine((DESCRIBE[op.op] as (op: Op) => string)(op));
}

type Describers = { readonly [K in OpName]: (op: OpOf<K>) => string };

const DESCRIBE: Describers = {
  write_file: ({ path, data }) => `write ${quote(data)} to ${path}`,
  open_ns: ({ kind, path }) => `open ${namespaceNames(kind)} namespace ${path}`,
  setns: ({ kind, defer }) => `join ${namespaces(kind)}${defer ? " if that is permitted yet" : ""}`,
  unshare: ({ flags }) => `make a new ${namespaces(flags)}`,
  clone: ({ flags, cgroup }) =>
    `clone the container's process${flags ? ` with new ${namespaces(flags)}` : ""}` +
    (cgroup >= 0 ? " in its cgroup" : ""),
  join_cgroup: () => "join the cgroup",
  sync: ({ message }) => SYNCS[message] ?? `send message ${message}`,
  tell: ({ message }) => TOLD[message] ?? `send message ${message}`,
  setsid: () => "start a session",
  hostname: ({ name }) => `set the host name to ${quote(name)}`,
  domainname: ({ name }) => `set the domain name to ${quote(name)}`,
  loopback_up: () => "bring up the loopback device",
  dumpable: ({ value }) => value ? "allow others to look into the process" : "hide the process",
  propagation: ({ path, flags }) => `make the mount ${path} ${propagationNames(flags)}`,
  unpin: () => "leave out mounts that hold a mount namespace",
  lock_readonly: ({ path }) => `make all that is mounted on ${path} read-only for good`,
  mount_propagation: ({ propagation }) =>
    `make the mount ${propagation.map(propagationNames).join(",")} again`,
  rootfs: ({ path, bind }) => `open root filesystem ${path}${bind ? ", bound to itself" : ""}`,
  open_tree: ({ source, recursive, idmap }) =>
    `open bind source ${source}${recursive ? " with the mounts below" : ""}` +
    (idmap >= 0 ? ", ids mapped" : ""),
  mount: describeMount,
  unmount: ({ path }) => `unmount ${path}`,
  mkdir: ({ path, mode }) => `make directory ${path} (${octal(mode)})`,
  symlink: ({ path, target }) => `link ${path} to ${target}`,
  make_file: ({ path, mode }) => `make file ${path} (${octal(mode)})`,
  device: describeDevice,
  make_node: ({ path, type, major, minor }) =>
    `make ${NODE_TYPES[type] ?? "device"} ${major}:${minor} for ${path} on a filesystem of its own`,
  open_nodes: ({ slots }) => `open ${slots.length} device nodes that were made before`,
  mask: ({ path }) => `mask ${path}`,
  readonly: ({ path }) => `make ${path} read-only`,
  readonly_root: () => "make the root filesystem read-only",
  enter_root: ({ method }) => ENTER[method] ?? `enter the root filesystem by method ${method}`,
  tty: ({ paths, take }) =>
    `make a terminal, seen as ${paths.join(" and ")}${take ? ", and take it" : ""}`,
  inherit: ({ slots }) => `pass ${slots.length} descriptors to the program`,
  reaper: () => "stay as the first process, with the program as its child",
  sched_core: () => "share a core with nobody else",
  parent_death: ({ signal }) => `ask for signal ${signal} when the parent ends`,
  console: ({ rows, cols, mount }) =>
    `make a terminal${rows || cols ? ` of ${cols} x ${rows}` : ""}` +
    (mount ? ", seen as /dev/console" : ""),
  hook: ({ kind, index, path, timeout }) =>
    `run ${kind} hook ${index}, ${path}${timeout ? `, for at most ${timeout} s` : ""}`,
  hook_state: () => "take the state document that hooks read",
  keyring: ({ name }) => `join session keyring ${name}`,
  hook_limit: (op) => `keep for hooks: ${describeLimit(op)}`,
  rlimit: (op) =>
    op.raise === LimitRaise.none
      ? `set ${describeLimit(op)}`
      : `raise ${RLIMITS[op.resource] ?? `limit ${op.resource}`} to ${
        limit(op.hard)
      } if it is lower`,
  label: ({ attr, label }) => `set label ${quote(label)} (${attr})`,
  no_new_privs: () => "give up gaining privileges by executing (no_new_privs)",
  personality: ({ domain }) => `set personality ${domain ? "LINUX32" : "LINUX"}`,
  scheduler: describeScheduler,
  ioprio: ({ value }) =>
    `set I/O priority ${value & 0x1fff} of ${
      IO_PRIORITY_CLASSES[(value >> 13) - 1] ?? value >> 13
    }`,
  mempolicy: describeMemoryPolicy,
  affinity: ({ mask }) =>
    mask.length === 0 ? "use every CPU of the cgroup" : `use CPUs ${numberList(mask)}`,
  umask: ({ mask }) => `set umask ${octal(mask)}`,
  set_ids: ({ uid, gid, groups, groups_mode }) =>
    `become user ${uid}, group ${gid}` +
    (groups_mode === 1
      ? ", other groups as they are"
      : groups.length > 0
      ? `, groups ${groups.join(",")}`
      : ""),
  streams: () => "use the container's /dev/null for the host's among the standard streams",
  stdio_owner: ({ uid }) => `give the standard streams to user ${uid}`,
  keep_caps: ({ value }) => `${value ? "keep" : "drop"} capabilities when the user changes`,
  bounding: ({ mask }) => `limit capabilities to ${capabilityNames(mask)}`,
  caps: describeCapabilities,
  chdir: ({ path, tolerate }) => `enter directory ${path}${tolerate ? ", if root may" : ""}`,
  seccomp: ({ filter, notify }) =>
    `load a seccomp filter of ${filter.length / 8} instructions${notify ? ", with listener" : ""}`,
  close_fds: ({ keep }) => `keep ${keep > 0 ? `descriptors 0 to ${2 + keep}` : "stdio"} open alone`,
  find_program: ({ name, search }) =>
    `find program ${quote(name)}${name.includes("/") ? "" : ` in ${search}`}`,
  wait_start: () => "wait for the start",
  exec: ({ args }) => `execute ${args.map(quote).join(" ")}`,
};

const SYNCS: Readonly<Record<number, string>> = {
  [Message.cgroup]: "let runts move the process into its cgroup",
  [Message.maps]: "let runts write the id maps",
  [Message.namespaces]: "let runts move network devices and run its hooks",
  [Message.ready]: "report that all is ready",
};

const TOLD: Readonly<Record<number, string>> = {
  [Message.namespaces]: "tell that the namespaces are there",
};

const ENTER = [
  "make the root filesystem the root (pivot_root)",
  "move the root filesystem over the root (chroot)",
  "enter the root filesystem (chroot)",
];

function namespaceNames(mask: number): string {
  return bitNames(mask, Object.entries(NAMESPACE_FLAGS)).join(", ");
}

function namespaces(mask: number): string {
  const names = namespaceNames(mask);
  return `${names} namespace${names.includes(",") ? "s" : ""}`;
}

function propagationNames(flags: number): string {
  const { recursive, ...types } = Propagation;
  const r = flags & recursive ? "r" : "";
  return bitNames(flags & ~recursive, Object.entries(types)).map((name) => r + name).join(",");
}

/** Names of the bits that are set; what has no name as a number. */
function bitNames(mask: number, table: readonly (readonly [string, number])[]): string[] {
  const names: string[] = [];
  let rest = mask;
  for (const [name, bit] of table) {
    if (bit === 0 || (rest & bit) !== bit) continue;
    names.push(name);
    rest &= ~bit;
  }
  if (rest !== 0) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names;
}

function describeMount(op: OpOf<"mount">): string {
  const options = mountOptions(op).join(",");
  const tail = `${op.destination}${options ? ` (${options})` : ""}`;
  switch (op.kind) {
    case MountKind.bind:
      return `bind ${op.source} on ${tail}`;
    case MountKind.rbind:
      return `bind ${op.source} with the mounts below on ${tail}`;
    case MountKind.remount:
      return `remount ${tail}`;
    default:
      return `mount ${op.fstype}${op.source.startsWith("/") ? ` ${op.source}` : ""} on ${tail}`;
  }
}

const ATTRIBUTES = [
  ["ro", MountAttr.rdonly],
  ["nosuid", MountAttr.nosuid],
  ["nodev", MountAttr.nodev],
  ["noexec", MountAttr.noexec],
  ["noatime", MountAttr.noatime],
  ["strictatime", MountAttr.strictatime],
  ["nodiratime", MountAttr.nodiratime],
  ["nosymfollow", MountAttr.nosymfollow],
] as const;
const OPPOSITES: Readonly<Record<string, string>> = {
  ro: "rw",
  nosuid: "suid",
  nodev: "dev",
  noexec: "exec",
  nodiratime: "diratime",
  nosymfollow: "symfollow",
};

function mountOptions(op: OpOf<"mount">): string[] {
  const set = Number(op.attr_set);
  const recursive = Number(op.rec_set);
  const names = [
    ...attributeNames(set, Number(op.attr_clear), ""),
    ...attributeNames(recursive, Number(op.rec_clear), "r"),
    ...op.superblock,
    ...op.propagation.map(propagationNames),
    ...op.data,
  ];
  if (op.flags & MountFlag.tmpcopyup) names.push("tmpcopyup");
  if (op.flags & MountFlag.copySymlink) names.push("copy-symlink");
  return [...new Set(names)];
}

function attributeNames(set: number, clear: number, prefix: string): string[] {
  const cleared = bitNames(clear & ~MountAttr.atime, ATTRIBUTES).flatMap((n) => OPPOSITES[n] ?? []);
  const relatime = clear & MountAttr.atime && !(set & MountAttr.atime) ? ["relatime"] : [];
  return [...bitNames(set, ATTRIBUTES), ...relatime, ...cleared].map((name) => prefix + name);
}

const NODE_TYPES: Readonly<Record<number, string>> = {
  [S_IFIFO]: "fifo",
  [S_IFBLK]: "block device",
};

function describeDevice(
  { type, path, major, minor, mode, uid, gid, bind, slot }: OpOf<"device">,
): string {
  const name = NODE_TYPES[type] ?? "device";
  const number = name === "fifo" ? "" : ` ${major}:${minor}`;
  if (bind === NodeSource.bind && slot < 0) return `bind ${name}${number} of the host on ${path}`;
  const owner = uid || gid ? `, owner ${uid}:${gid}` : "";
  const verb = slot < 0 ? "make" : "bind";
  return `${verb} ${name}${number} ${slot < 0 ? "" : "on "}${path} (${octal(mode)}${owner})`;
}

function describeScheduler(op: OpOf<"scheduler">): string {
  const flags = SCHEDULER_FLAGS.filter((_, index) => Number(op.flags) & 1 << index);
  const { nice, priority, runtime, deadline, period } = op;
  const values = Object.entries({ nice, priority, runtime, deadline, period })
    .flatMap(([name, value]) => Number(value) === 0 ? [] : [`${name} ${value}`]);
  const policy = SCHEDULER_POLICIES[op.policy] ?? `policy ${op.policy}`;
  return [`schedule by ${policy}`, ...values, ...flags].join(", ");
}

function describeMemoryPolicy({ mode, nodes }: OpOf<"mempolicy">): string {
  const names = MEMORY_POLICY_FLAGS.filter((_, index) => mode & MEMORY_FLAGS[index]!);
  const base = mode & 0xfff;
  const policy = MEMORY_POLICY_MODES[MEMORY_MODES.indexOf(base)] ?? `mode ${base}`;
  const list = numberList(nodes);
  return [`set memory policy ${policy}`, ...names, ...(list ? [`nodes ${list}`] : [])].join(", ");
}

function describeCapabilities(op: OpOf<"caps">): string {
  const sets = (["effective", "permitted", "inheritable", "ambient"] as const)
    .filter((set) => BigInt(op[set]) !== 0n);
  const groups = Map.groupBy(sets, (set) => capabilityNames(op[set]));
  if (groups.size === 0) return "drop all capabilities";
  return "set capabilities " +
    [...groups].map(([names, members]) => `${members.join(", ")}: ${names}`).join("; ");
}

/** `CHOWN,KILL`; `none`; `all` for every one that is known. */
function capabilityNames(mask: bigint | number): string {
  const bits = BigInt(mask);
  if (bits === 0n) return "none";
  if (bits === (1n << BigInt(CAPABILITIES.length)) - 1n) return "all";
  const names: string[] = [];
  for (let number = 0; bits >> BigInt(number) !== 0n; number++) {
    if (bits >> BigInt(number) & 1n) names.push(CAPABILITIES[number]?.slice(4) ?? String(number));
  }
  return names.join(",");
}

function describeLimit({ resource, soft, hard }: OpOf<"rlimit" | "hook_limit">): string {
  return `${RLIMITS[resource] ?? `limit ${resource}`} to ${limit(soft)}` +
    (soft === hard ? "" : `, at most ${limit(hard)}`);
}

function limit(value: bigint | number): string {
  return BigInt(value) === RLIM_INFINITY ? "unlimited" : String(value);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** `0-3,7` for the bits of a mask. */
function numberList(mask: Uint8Array): string {
  const ranges: [number, number][] = [];
  for (let bit = 0; bit < mask.length * 8; bit++) {
    if (!(mask[bit >> 3]! & 1 << (bit & 7))) continue;
    const last = ranges.at(-1);
    if (last?.[1] === bit - 1) last[1] = bit;
    else ranges.push([bit, bit]);
  }
  return ranges.map(([first, last]) => first === last ? first : `${first}-${last}`).join(",");
}
