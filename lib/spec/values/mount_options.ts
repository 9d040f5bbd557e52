/**
 * Mount options: what each of them does, for the plan and for `features`.
 * config.md, "Linux mount options"; mount(8); the additions that crun's users know.
 */

/** Attributes of a mount (linux/mount.h, mount_setattr(2)). */
export const MountAttr = {
  rdonly: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  /** Mask of the access-time settings, of which relatime is 0. */
  atime: 0x70,
  relatime: 0,
  noatime: 0x10,
  strictatime: 0x20,
  nodiratime: 0x80,
  idmap: 0x100000,
  nosymfollow: 0x200000,
} as const;

/** Propagation types (mount(2), linux/mount.h). */
export const Propagation = {
  recursive: 1 << 14,
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
} as const;

/** What one option does; an option without any effect here is accepted and changes nothing. */
interface MountOption {
  /** Attributes set. */
  readonly set?: number;
  /** Attributes cleared. */
  readonly clear?: number;
  /** Access-time setting that is chosen: a value under the mask `MountAttr.atime`. */
  readonly atime?: number;
  /** Access-time setting that is given up for the kernel's default, relatime. */
  readonly noAtime?: number;
  /** The attributes are those of all mounts below, too. */
  readonly recursive?: true;
  /** A flag of mount(2), which has no effect of its own here. */
  readonly flag?: true;
  /** Flag of the filesystem context (fsconfig(2), FSCONFIG_SET_FLAG). */
  readonly superblock?: SuperblockFlag;
  /** MS_* value. */
  readonly propagation?: number;
  readonly bind?: "bind" | "rbind";
  readonly idmap?: "idmap" | "ridmap";
  readonly switch?: MountSwitch;
}

type SuperblockFlag = keyof typeof SUPERBLOCK_OPPOSITES;
type MountSwitch = "remount" | "tmpcopyup" | "copySymlink" | "destNofollow" | "srcNofollow";

/** A flag and the one that a later option replaces it with. */
const SUPERBLOCK_OPPOSITES = {
  ro: "rw",
  rw: "ro",
  sync: "async",
  async: "sync",
  dirsync: "dirsync",
  lazytime: "nolazytime",
  nolazytime: "lazytime",
  mand: "nomand",
  nomand: "mand",
} as const;

/**
 * Every option that is recognised; any other is a parameter of the filesystem.
 * Synchronous writes and mandatory locks belong to the superblock, which no mount below shares:
 * their recursive names do what the plain ones do. iversion and silent have no flag in a
 * filesystem context: the kernel counts versions wherever it can, and reports to the context.
 */
export const MOUNT_OPTIONS: Readonly<Record<string, MountOption>> = {
  defaults: {},
  bind: { bind: "bind" },
  rbind: { bind: "rbind" },
  remount: { switch: "remount" },

  ro: { set: MountAttr.rdonly, superblock: "ro" },
  rw: { clear: MountAttr.rdonly, superblock: "rw" },
  sync: { superblock: "sync" },
  async: { superblock: "async" },
  dirsync: { superblock: "dirsync" },
  lazytime: { superblock: "lazytime" },
  nolazytime: { superblock: "nolazytime" },
  mand: { superblock: "mand" },
  nomand: { superblock: "nomand" },
  rsync: { superblock: "sync", recursive: true },
  rasync: { superblock: "async", recursive: true },
  rdirsync: { superblock: "dirsync", recursive: true },
  rmand: { superblock: "mand", recursive: true },
  rnomand: { superblock: "nomand", recursive: true },
  iversion: { flag: true },
  noiversion: { flag: true },
  silent: { flag: true },
  loud: { flag: true },

  nosuid: { set: MountAttr.nosuid },
  suid: { clear: MountAttr.nosuid },
  nodev: { set: MountAttr.nodev },
  dev: { clear: MountAttr.nodev },
  noexec: { set: MountAttr.noexec },
  exec: { clear: MountAttr.noexec },
  nodiratime: { set: MountAttr.nodiratime },
  diratime: { clear: MountAttr.nodiratime },
  nosymfollow: { set: MountAttr.nosymfollow },
  symfollow: { clear: MountAttr.nosymfollow },
  noatime: { atime: MountAttr.noatime },
  atime: { noAtime: MountAttr.noatime },
  relatime: { atime: MountAttr.relatime },
  norelatime: { flag: true },
  strictatime: { atime: MountAttr.strictatime },
  nostrictatime: { noAtime: MountAttr.strictatime },

  rro: { set: MountAttr.rdonly, recursive: true },
  rrw: { clear: MountAttr.rdonly, recursive: true },
  rnosuid: { set: MountAttr.nosuid, recursive: true },
  rsuid: { clear: MountAttr.nosuid, recursive: true },
  rnodev: { set: MountAttr.nodev, recursive: true },
  rdev: { clear: MountAttr.nodev, recursive: true },
  rnoexec: { set: MountAttr.noexec, recursive: true },
  rexec: { clear: MountAttr.noexec, recursive: true },
  rnodiratime: { set: MountAttr.nodiratime, recursive: true },
  rdiratime: { clear: MountAttr.nodiratime, recursive: true },
  rnosymfollow: { set: MountAttr.nosymfollow, recursive: true },
  rsymfollow: { clear: MountAttr.nosymfollow, recursive: true },
  rnoatime: { atime: MountAttr.noatime, recursive: true },
  ratime: { noAtime: MountAttr.noatime, recursive: true },
  rrelatime: { atime: MountAttr.relatime, recursive: true },
  rnorelatime: {},
  rstrictatime: { atime: MountAttr.strictatime, recursive: true },
  rnostrictatime: { noAtime: MountAttr.strictatime, recursive: true },

  shared: { propagation: Propagation.shared },
  rshared: { propagation: Propagation.shared | Propagation.recursive },
  slave: { propagation: Propagation.slave },
  rslave: { propagation: Propagation.slave | Propagation.recursive },
  private: { propagation: Propagation.private },
  rprivate: { propagation: Propagation.private | Propagation.recursive },
  unbindable: { propagation: Propagation.unbindable },
  runbindable: { propagation: Propagation.unbindable | Propagation.recursive },

  idmap: { idmap: "idmap" },
  ridmap: { idmap: "ridmap" },
  tmpcopyup: { switch: "tmpcopyup" },
  "copy-symlink": { switch: "copySymlink" },
  "dest-nofollow": { switch: "destNofollow" },
  "src-nofollow": { switch: "srcNofollow" },
};

/** What a list of options asks for. */
export interface ParsedMountOptions {
  readonly bind: "none" | "bind" | "rbind";
  readonly remount: boolean;
  /**
   * MOUNT_ATTR_* to set and to clear, as mount_setattr(2) takes them: a chosen access-time setting
   * has the whole mask `MountAttr.atime` in `attrClear`. A new mount needs `attrSet` alone.
   */
  readonly attrSet: number;
  readonly attrClear: number;
  /** The same for the mount and all below it; to be applied before `attrSet` and `attrClear`. */
  readonly recSet: number;
  readonly recClear: number;
  /** Flags of the filesystem context; no concern of a bind mount. */
  readonly superblock: readonly SuperblockFlag[];
  /** MS_* values, to be applied in this order. */
  readonly propagation: readonly number[];
  /** Parameters of the filesystem, `key` or `key=value` (fsconfig(2)). */
  readonly data: readonly string[];
  readonly idmap: "none" | "idmap" | "ridmap";
  /** What followed `idmap=` (lib/spec/values/idmap.ts reads it). */
  readonly idmapText?: string;
  /** A new tmpfs starts with a copy of what was at the mount point. */
  readonly tmpcopyup: boolean;
  /** A source that is a symlink is made again as a symlink. */
  readonly copySymlink: boolean;
  readonly destNofollow: boolean;
  readonly srcNofollow: boolean;
}

/** What a bind mount loses as soon as an option names any of them. */
const PLAIN = MountAttr.rdonly | MountAttr.nosuid | MountAttr.nodev | MountAttr.noexec |
  MountAttr.nosymfollow;

/**
 * Attributes of its source that a bind mount does not keep: once an option is a flag of mount(2), it
 * has the flags that are named and no others, as mount(8) and the other runtimes have it. Access
 * times stay unless a setting for them is chosen. 0 where no flag is named.
 */
export function droppedAttributes(options: readonly string[], parsed: ParsedMountOptions): number {
  const { attrSet, attrClear, recSet, recClear } = parsed;
  const named = options.length === 0 ? options : splitOptions(options).filter(isFlag);
  if (named.length === 0) return 0;
  let dropped = PLAIN;
  const { atime, nodiratime } = MountAttr;
  const chosen = attrSet & (atime | nodiratime) || named.includes("relatime");
  if (chosen) dropped |= recSet & atime || recClear & atime ? nodiratime : atime | nodiratime;
  return dropped & ~(attrSet & ~atime) & ~(recSet & ~atime) & ~(attrClear & ~atime);
}

/** Recursive options say nothing of what they do not name. */
function isFlag(text: string): boolean {
  const option = Object.hasOwn(MOUNT_OPTIONS, text) ? MOUNT_OPTIONS[text]! : {};
  const { recursive, set, clear, atime, noAtime, superblock, flag } = option;
  return !recursive &&
    [set, clear, atime, noAtime, superblock, flag].some((it) => it !== undefined);
}

interface AttrChange {
  set: number;
  clear: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What is known of lists already: the checks and the plan ask for the same ones. */
const known = new WeakMap<readonly string[], ParsedMountOptions>();

/**
 * Reads the options of a mount. Of contradicting options the last one wins; a recursive one
 * replaces an earlier plain one of the same attribute. A list is not to change afterwards.
 */
export function parseMountOptions(options: readonly string[]): ParsedMountOptions {
  let parsed = known.get(options);
  if (parsed === undefined) known.set(options, parsed = parseOptions(options));
  return parsed;
}

function parseOptions(options: readonly string[]): ParsedMountOptions {
  const plain: AttrChange = { set: 0, clear: 0 };
  const tree: AttrChange = { set: 0, clear: 0 };
  const superblock = new Set<SuperblockFlag>();
  const propagation: number[] = [];
  const data: string[] = [];
  const parsed: Mutable<ParsedMountOptions> = {
    bind: "none",
    remount: false,
    attrSet: 0,
    attrClear: 0,
    recSet: 0,
    recClear: 0,
    superblock: [],
    propagation,
    data,
    idmap: "none",
    tmpcopyup: false,
    copySymlink: false,
    destNofollow: false,
    srcNofollow: false,
  };
  for (const text of options.length === 0 ? options : splitOptions(options)) {
    const option = Object.hasOwn(MOUNT_OPTIONS, text) ? MOUNT_OPTIONS[text] : undefined;
    if (option === undefined) {
      if (!takeIdmap(parsed, text) && !isComment(text)) data.push(unquote(text));
      continue;
    }
    if (option.recursive) {
      change(tree, option);
      forget(plain, option);
    } else {
      change(plain, option);
    }
    if (option.superblock) {
      superblock.delete(SUPERBLOCK_OPPOSITES[option.superblock]);
      superblock.delete(option.superblock);
      superblock.add(option.superblock);
    }
    if (option.propagation) propagation.push(option.propagation);
    if (option.bind && parsed.bind !== "rbind") parsed.bind = option.bind;
    if (option.idmap) parsed.idmap = option.idmap;
    if (option.switch) parsed[option.switch] = true;
  }
  parsed.attrSet = plain.set;
  parsed.attrClear = plain.clear;
  parsed.recSet = tree.set;
  parsed.recClear = tree.clear;
  parsed.superblock = [...superblock];
  return parsed;
}

function change(attr: AttrChange, option: MountOption): void {
  const { set = 0, clear = 0, atime, noAtime } = option;
  attr.set = (attr.set & ~clear) | set;
  attr.clear = (attr.clear & ~set) | clear;
  const chosen = attr.set & MountAttr.atime;
  if (atime !== undefined) {
    attr.set = (attr.set & ~MountAttr.atime) | atime;
    attr.clear |= MountAttr.atime;
  } else if (noAtime !== undefined && (chosen === 0 || chosen === noAtime)) {
    attr.set &= ~MountAttr.atime;
    attr.clear |= MountAttr.atime;
  }
}

function forget(attr: AttrChange, option: MountOption): void {
  const atime = option.atime ?? option.noAtime;
  const bits = (option.set ?? 0) | (option.clear ?? 0) |
    (atime === undefined ? 0 : MountAttr.atime);
  attr.set &= ~bits;
  attr.clear &= ~bits;
}

/** One entry may hold several options, as `mode=755,size=64k`; quotes and backslashes protect. */
function splitOptions(options: readonly string[]): readonly string[] {
  if (!options.some((option) => option.includes(","))) return options;
  return options.flatMap((option) => option.match(/(?:\\.|"[^"]*"|[^,\\]|\\$)+/g) ?? []);
}

function takeIdmap(parsed: Mutable<ParsedMountOptions>, text: string): boolean {
  const end = text.indexOf("=");
  const name = text.slice(0, Math.max(end, 0));
  if (name !== "idmap" && name !== "ridmap") return false;
  parsed.idmap = name;
  parsed.idmapText = text.slice(end + 1);
  return true;
}

/** Options that mount(8) keeps to itself. */
function isComment(text: string): boolean {
  return text.startsWith("x-") || text.startsWith("X-") || text.startsWith("comment=") ||
    ["auto", "noauto", "nouser", "_netdev", ""].includes(text);
}

/** A security context is quoted for its commas; fsconfig(2) takes the bare value. */
function unquote(text: string): string {
  if (!text.endsWith('"')) return text;
  return text.replace(/^((?:fs|def|root)?context=)"([^"]*)"$/, "$1$2");
}
