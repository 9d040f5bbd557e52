/**
 * The operations of a plan: everything that init can do, and nothing else.
 *
 * One table gives each operation its number and its fields, in wire order. The TypeScript types,
 * the encoder and the printed plan derive from it; c/include/ops.h states the same table for the
 * decoder, and a test compares the two.
 *
 * init performs the operations of a plan in order. All that come before `clone` are done by
 * stage 1, in the host's namespaces; the cloned process goes on with the operation after it.
 * Paths of operations on the root filesystem are resolved inside it (openat2, RESOLVE_IN_ROOT).
 * Descriptors are named by slots: those below SLOTS_MAX are handed over by runts, the others are
 * filled by operations.
 */

/** Wire types: text ends in a NUL, lists are counted, numbers are little-endian. */
export type FieldType = "str" | "strs" | "u32" | "i32" | "u64" | "i64" | "u32s" | "bytes";

interface OpSchema {
  readonly code: number;
  readonly fields: Readonly<Record<string, FieldType>>;
}

export const OPS = {
  // Files outside the root filesystem. The file must lie on a filesystem of type `magic`
  // (statfs(2)); 0 accepts any. Written by a single write(2).
  write_file: { code: 1, fields: { path: "str", data: "str", magic: "u64" } },

  // Namespaces. Kinds and flags are CLONE_NEW* values.
  // `defer` 1: EPERM is no failure, a later setns of the same slot tries again; a slot that has
  // been joined already is left alone.
  open_ns: { code: 10, fields: { slot: "u32", kind: "u32", path: "str" } },
  setns: { code: 11, fields: { slot: "u32", kind: "u32", defer: "u32" } },
  unshare: { code: 12, fields: { flags: "u32" } },
  // The child is a child of runts (CLONE_PARENT). `cgroup`: slot of a cgroup v2 directory that
  // it is born in, or -1. The parent reports the child's pid and exits.
  clone: { code: 13, fields: { flags: "u32", cgroup: "i32" } },
  // Writes "0" to the slot, a descriptor of cgroup.procs or of a v1 tasks file.
  join_cgroup: { code: 14, fields: { slot: "u32" } },
  // Sends the message (lib/wire/messages.ts) and waits for the answer.
  sync: { code: 15, fields: { message: "u32" } },
  // Sends it, and goes on: there is no answer.
  tell: { code: 86, fields: { message: "u32" } },
  setsid: { code: 16, fields: {} },
  hostname: { code: 17, fields: { name: "str" } },
  domainname: { code: 18, fields: { name: "str" } },
  loopback_up: { code: 19, fields: {} },
  dumpable: { code: 20, fields: { value: "u32" } },

  // The root filesystem.
  propagation: { code: 30, fields: { path: "str", flags: "u32" } },
  // Opens the root filesystem; what follows is resolved in it. `bind`: RootBind. `slot`: it was
  // opened there by open_tree, or -1.
  rootfs: { code: 31, fields: { path: "str", bind: "u32", slot: "i32" } },
  // Opens (and clones, and with `idmap` >= 0, the slot of a user namespace, maps) a bind source
  // before the namespaces are entered. `recursive`: TreeExtent.
  open_tree: {
    code: 32,
    fields: { slot: "u32", source: "str", recursive: "u32", nofollow: "u32", idmap: "i32" },
  },
  // Where a file holds a mount namespace, goes on in a copy of this one, which has no such mounts: a
  // tree with them cannot be moved into a mount namespace that is younger (ELOOP).
  unpin: { code: 43, fields: {} },
  // Goes on in a copy of the mount namespace, where all that is mounted at the path and below is
  // read-only: a user namespace that is made from there cannot undo that.
  lock_readonly: { code: 46, fields: { path: "str" } },
  // kind: MountKind. `slot`: the source was opened there by open_tree, or -1. `superblock` and
  // `data`: fs-context flags and parameters, `key` or `key=value` (fsconfig(2)). `attr_*`:
  // MOUNT_ATTR_* for this mount, `rec_*` for the whole tree; `attr_rest` is cleared, too, unless the
  // user namespace locks it. `propagation`: MS_* values, one after the other. `create`: CreateKind.
  // `flags`: MountFlag bits. `keep`: the slot that it is kept in for mount_propagation, or -1.
  mount: {
    code: 33,
    fields: {
      kind: "u32",
      source: "str",
      slot: "i32",
      destination: "str",
      fstype: "str",
      superblock: "strs",
      data: "strs",
      attr_set: "u64",
      attr_clear: "u64",
      attr_rest: "u64",
      rec_set: "u64",
      rec_clear: "u64",
      propagation: "u32s",
      create: "u32",
      flags: "u32",
      keep: "i32",
    },
  },
  mkdir: { code: 34, fields: { path: "str", mode: "u32" } },
  // An existing link or file is left alone, except with `replace` 1.
  symlink: { code: 35, fields: { target: "str", path: "str", replace: "u32" } },
  // A new file with a text; one that is there is an error.
  make_file: { code: 49, fields: { path: "str", mode: "u32", text: "str" } },
  // type: S_IFCHR, S_IFBLK, S_IFIFO. `bind`: NodeSource; `source`: path of the host's node. `given`:
  // NodeGiven bits, of what the host's node must have. `slot`: the node was made by make_node and
  // opened there by open_nodes, or -1. An existing node that matches is kept, another file is an
  // error.
  device: {
    code: 36,
    fields: {
      path: "str",
      type: "u32",
      mode: "u32",
      major: "u32",
      minor: "u32",
      uid: "u32",
      gid: "u32",
      bind: "u32",
      source: "str",
      given: "u32",
      slot: "i32",
    },
  },
  // Before a user namespace is entered, in which no node works that is made there. `store`: slot of
  // the filesystem that the nodes are made on, each for the `slot` that open_nodes puts it into.
  // Where mknod(2) is not permitted, there is none. `path`: of the device. `userns`: slot of the
  // namespace that `uid` and `gid` are ids of, or -1: they are the host's. `label`: SELinux context of
  // the filesystem, if it is not empty.
  make_node: {
    code: 44,
    fields: {
      store: "u32",
      slot: "u32",
      path: "str",
      type: "u32",
      mode: "u32",
      major: "u32",
      minor: "u32",
      uid: "u32",
      gid: "u32",
      userns: "i32",
      label: "str",
    },
  },
  open_nodes: { code: 45, fields: { store: "u32", slots: "u32s" } },
  mask: { code: 37, fields: { path: "str", label: "str" } },
  readonly: { code: 38, fields: { path: "str" } },
  readonly_root: { code: 39, fields: {} },
  // method: EnterMethod.
  enter_root: { code: 40, fields: { method: "u32" } },
  // Makes a pseudoterminal in the container's devpts, sends its master over the slot (a connected
  // unix socket), makes it the controlling terminal and stdio. With `mount` 1 it becomes
  // /dev/console. Zero rows and columns: leave the size.
  console: {
    code: 41,
    fields: { slot: "u32", rows: "u32", cols: "u32", uid: "u32", mount: "u32" },
  },

  // As `console`, mounted on every one of the paths; with `take` 1 it is the controlling terminal and stdio.
  tty: {
    code: 47,
    fields: { slot: "u32", paths: "strs", rows: "u32", cols: "u32", uid: "u32", take: "u32" },
  },

  // Takes what is mounted at the path away, with all that is mounted below.
  unmount: { code: 48, fields: { path: "str" } },

  // Sets MS_* values, one after the other, on a mount that was kept.
  mount_propagation: { code: 42, fields: { slot: "u32", propagation: "u32s" } },

  // Hooks that run in the container's namespaces, before `enter_root` in the root filesystem.
  // `timeout` in seconds, 0 for none. `has_env` 0: its environment is the program's, without HOME
  // until the program is found. `stdout`, `stderr`: slots, or -1; after the wait for the start, those
  // of the first hook there are all that is left. `limits` 1: its process has
  // the limits of the rlimit operations that follow.
  hook: {
    code: 50,
    fields: {
      kind: "str",
      index: "u32",
      path: "str",
      args: "strs",
      env: "strs",
      has_env: "u32",
      timeout: "u32",
      stdout: "i32",
      stderr: "i32",
      limits: "u32",
    },
  },
  // The state document that the hooks from here on read, until another comes. `slot`: a file.
  hook_state: { code: 51, fields: { slot: "u32" } },

  // A limit of the caller that runts has raised: hooks that run before the process is confined get it.
  hook_limit: { code: 52, fields: { resource: "u32", soft: "u64", hard: "u64" } },

  // The process.
  keyring: { code: 60, fields: { name: "str" } },
  // raise: LimitRaise.
  rlimit: { code: 61, fields: { resource: "u32", soft: "u64", hard: "u64", raise: "u32" } },
  // attr: file below /proc/self/attr, as "exec", "apparmor/exec", "keycreate". `fallback`: tried when the
  // first does not exist; empty for none.
  label: { code: 62, fields: { attr: "str", fallback: "str", label: "str" } },
  no_new_privs: { code: 63, fields: {} },
  personality: { code: 64, fields: { domain: "u32" } },
  scheduler: {
    code: 65,
    fields: {
      policy: "u32",
      flags: "u64",
      nice: "i32",
      priority: "u32",
      runtime: "u64",
      deadline: "u64",
      period: "u64",
    },
  },
  ioprio: { code: 66, fields: { value: "u32" } },
  // mode: MPOL_* with its flags; nodes: bit mask.
  mempolicy: { code: 67, fields: { mode: "u32", nodes: "bytes" } },
  // An empty mask: every CPU that the cpuset allows.
  affinity: { code: 68, fields: { mask: "bytes" } },
  umask: { code: 69, fields: { mask: "u32" } },
  // `groups_mode` 0: setgroups(2) with the list; 1: leave the supplementary groups.
  set_ids: {
    code: 70,
    fields: { uid: "u32", gid: "u32", groups: "u32s", groups_mode: "u32" },
  },
  // Gives the standard streams to the user, as far as the filesystems let; never a node of
  // /dev/null.
  stdio_owner: { code: 80, fields: { uid: "u32" } },
  // Puts the container's /dev/null, /dev/zero and their like in the place of the host's, on the
  // descriptors that the program inherits. `tolerate` 1: where none is to be had, the host's stays.
  streams: { code: 81, fields: { tolerate: "u32" } },
  keep_caps: { code: 71, fields: { value: "u32" } },
  // Bit masks by capability number. Capabilities that cannot be granted are reported as a
  // warning and left out.
  bounding: { code: 72, fields: { mask: "u64" } },
  caps: {
    code: 73,
    fields: { effective: "u64", permitted: "u64", inheritable: "u64", ambient: "u64" },
  },
  // `tolerate` 1: a directory that cannot be entered is no failure yet; a later chdir tries again,
  // and does nothing where this one succeeded. `create` 1: make a missing directory.
  chdir: { code: 74, fields: { path: "str", tolerate: "u32", create: "u32" } },
  // Compiled BPF and the flags of seccomp(2). `notify` 1: with a listener, which runts fetches.
  // The first seccomp or wait_start closes every slot but those of wait_start.
  seccomp: { code: 75, fields: { flags: "u32", filter: "bytes", notify: "u32" } },
  // Descriptors from 3 + keep on are closed by exec.
  close_fds: { code: 76, fields: { keep: "u32" } },
  // Finds the program as execvp(3) does, with `search` as PATH, as the container's user.
  find_program: { code: 77, fields: { name: "str", search: "str" } },
  // Blocks until a byte comes through `fifo` (exec.fifo). From then on failures are written to
  // `result`, not to the conversation.
  wait_start: { code: 78, fields: { fifo: "u32", result: "u32" } },
  // The signal that the process gets when its parent ends (PR_SET_PDEATHSIG).
  parent_death: { code: 82, fields: { signal: "u32" } },
  // No process but its descendants runs on a core beside it (prctl(2), PR_SCHED_CORE).
  sched_core: { code: 84, fields: {} },
  // The program will be a child of init, which stays: it reaps orphans, and ends when nobody is left.
  reaper: { code: 83, fields: {} },
  // The program inherits these slots as 3, 4, …, and no other descriptor from 3 on.
  inherit: { code: 85, fields: { slots: "u32s" } },
  // `home` >= 0: HOME of that uid from /etc/passwd is added. `self_pid` 1: LISTEN_PID is added.
  exec: { code: 79, fields: { args: "strs", env: "strs", home: "i64", self_pid: "u32" } },
} as const satisfies Record<string, OpSchema>;

export type OpName = keyof typeof OPS;

interface FieldTypes {
  str: string;
  strs: readonly string[];
  u32: number;
  i32: number;
  u64: bigint | number;
  i64: bigint | number;
  u32s: readonly number[];
  bytes: Uint8Array;
}

type FieldsOf<T extends Readonly<Record<string, FieldType>>> = {
  readonly [K in keyof T]: FieldTypes[T[K]];
};

/** One operation; `from` is the JSON path in config.json that asked for it, empty if none did. */
export type Op = {
  [K in OpName]:
    & { readonly op: K; readonly from: string }
    & FieldsOf<typeof OPS[K]["fields"]>;
}[OpName];

/** The operation of one name. */
export type OpOf<K extends OpName> = Extract<Op, { op: K }>;

/** What `mount` does. Remounting changes the attributes (and superblock) of what is there. */
export const MountKind = { filesystem: 0, bind: 1, rbind: 2, remount: 3 } as const;

/** What a missing mount point becomes. `auto`: what the source is, a directory or a file. */
export const CreateKind = { none: 0, directory: 1, auto: 2 } as const;

/** `open_tree.recursive`: the mounts below come along, and perhaps get the id map too. */
export const TreeExtent = { top: 0, whole: 1, mapped: 2 } as const;

/**
 * `rootfs.bind`: whether it is bound to itself. `bound`: it and the mount that holds it become slaves,
 * as pivot_root(2) wants none that is shared; `boundPrivate`: they become private, with all mounts on
 * the root filesystem; `boundAlone`: no other mount is touched, because there is no mount namespace of
 * its own.
 */
export const RootBind = { unbound: 0, bound: 1, boundAlone: 2, boundPrivate: 3 } as const;

/** `enter_root.method`. `move`: the mount over "/", then chroot(2); `chroot`: that alone. */
export const EnterMethod = { pivot: 0, move: 1, chroot: 2 } as const;

/**
 * `rlimit.raise`. `hard`: only the hard limit is changed, and raised to `hard` if it is lower; `both`:
 * the soft one likewise.
 */
export const LimitRaise = { none: 0, hard: 1, both: 2 } as const;

/** `device.bind`. `bind`: the host's node; `either`: that where mknod(2) is not permitted. */
export const NodeSource = { make: 0, bind: 1, either: 2 } as const;

/** Bits of `device.given`: what the configuration says of a node. */
export const NodeGiven = { mode: 1, uid: 2, gid: 4 } as const;

/** Bits of `mount.flags`. */
export const MountFlag = {
  /** tmpfs starts with a copy of what was at its mount point. */
  tmpcopyup: 1,
  /** The destination's last component is not followed if it is a symlink. */
  destNofollow: 2,
  /** The source's last component is not followed if it is a symlink. */
  srcNofollow: 4,
  /** A source that is a symlink is made again as a symlink at the destination. */
  copySymlink: 8,
  /** A tmpfs takes the mode of its mount point. */
  inheritMode: 16,
  /** Attributes of a source may be locked by a user namespace; whoever opens it may be above that. */
  keepLocked: 32,
  /** The source must be the root of a procfs. */
  fromProc: 64,
  /** A source or mount point that is not there is no failure: nothing is mounted. */
  optional: 128,
} as const;

/** Longest plan that init accepts, in bytes. */
export const PLAN_MAX = 64 * 1024 * 1024;
/** First word of an encoded plan: "RPLN". */
export const PLAN_MAGIC = 0x4e4c5052;
/** Number of the slots that runts may fill. */
export const SLOTS_MAX = 1024;

/** Digits of the build id in the header of a plan. */
export const BUILD_ID_LENGTH = 32;

/*
 * Wire form: magic u32, the build id in ASCII, length u32 (whole plan), count u32, then the operations.
 * An operation: code u32, length u32 (of what follows), then its fields in order.
 * str and bytes: length u32, the bytes, and for str a NUL that is not counted. strs, u32s: count u32, then the items.
 * Nothing is padded or aligned.
 */
