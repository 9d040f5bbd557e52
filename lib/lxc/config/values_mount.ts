/** Lines of fstab(5), as `lxc.mount.entry` and the file of `lxc.mount.fstab` have them. */

import { nearest } from "../../base/nearest.ts";
import { MOUNT_OPTIONS } from "../../spec/values/mount_options.ts";
import { guessText, type Report } from "./place.ts";
import type { Parse } from "./values.ts";

/** One mount. */
export interface MountEntry {
  readonly source: string;
  /** In the container: below its root, unless it is absolute. */
  readonly target: string;
  readonly type: string;
  /** Those of mount(8) and of the filesystem. */
  readonly options: readonly string[];
  /** What is made of a target that is not there. */
  readonly create?: "dir" | "file";
  /** A source or a target that is not there is no error. */
  readonly optional: boolean;
  /** The source is below the container's root. */
  readonly relative: boolean;
  /** What the ids of the mount are mapped by: `container`, or the path of a user namespace. */
  readonly idmap?: string;
}

/** Options of LXC's own. */
const OWN = ["create=dir", "create=file", "optional", "relative", "idmap="];

/** Parameters of the filesystems that people list; of others any word may be one. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  bind: [],
  sysfs: [],
  mqueue: [],
  tmpfs: [
    ...["size", "nr_blocks", "nr_inodes", "mode", "uid", "gid", "huge", "mpol", "noswap"],
    ...["inode32", "inode64", "usrquota", "grpquota", "quota", "context"],
  ],
  ramfs: ["mode"],
  proc: ["hidepid", "gid", "subset", "pidns"],
  devpts: ["newinstance", "uid", "gid", "mode", "ptmxmode", "max", "context"],
  devtmpfs: ["size", "nr_inodes", "mode"],
  overlay: [
    ...["lowerdir", "upperdir", "workdir", "index", "metacopy", "redirect_dir", "xino"],
    ...["userxattr", "volatile", "nfs_export", "uuid", "default_permissions", "verity"],
    ...["lowerdir+", "datadir+", "context"],
  ],
};

/** `SOURCE TARGET TYPE OPTIONS [FREQ [PASSNO]]`; `\040` stands for a blank. */
export function mountEntry(value: string, report: Report): MountEntry {
  const fields = value.split(/\s+/).filter((field) => field !== "").map(unescaped);
  const [source = "", target = "", type = "", options = "", ...rest] = fields;
  if (fields.length < 3) {
    report("has too few fields", value, "SOURCE TARGET TYPE [OPTIONS] 0 0");
  }
  if (rest.length > 2 || rest.some((field) => !/^\d+$/.test(field))) {
    report("has more after its options than two numbers", value, "SOURCE TARGET TYPE OPTIONS 0 0");
  }
  if (target.split("/").includes("..")) report('leads upwards with ".."', target);
  return { source, target, type, ...readOptions(options, type, report) };
}

/** fstab(5): octal numbers behind a backslash. */
function unescaped(field: string): string {
  return field.replace(
    /\\([0-7]{3})/g,
    (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

type Options = Pick<MountEntry, "options" | "create" | "optional" | "relative" | "idmap">;

function readOptions(text: string, type: string, report: Report): Options {
  const own: { -readonly [K in keyof Options]: Options[K] } = {
    options: [],
    optional: false,
    relative: false,
  };
  own.options = text.split(",").filter((option) => {
    if (option === "optional" || option === "relative") own[option] = true;
    else if (option === "create=dir") own.create = "dir";
    else if (option === "create=file") own.create = "file";
    else if (option.startsWith("idmap=")) own.idmap = option.slice(6);
    else if (!isComment(option)) {
      checkOption(option, type, report);
      return true;
    }
    return false;
  });
  return own;
}

/** Options of a mount of the root filesystem, or of one that `type` says. */
export function mountOptions(type: string): Parse<string[]> {
  return (value, report) => {
    const options = value.split(",").filter((option) => !isComment(option));
    for (const option of options) {
      if (!option.startsWith("idmap=")) checkOption(option, type, report);
    }
    return options;
  };
}

function checkOption(option: string, type: string, report: Report): void {
  if (Object.hasOwn(MOUNT_OPTIONS, option)) return;
  const name = option.split("=")[0]!;
  const listed = Object.hasOwn(PARAMETERS, type) ? PARAMETERS[type] : undefined;
  if (listed?.includes(name)) return;
  const near = nearest(option, [...Object.keys(MOUNT_OPTIONS), ...OWN]) ??
    nearest(name, listed ?? []);
  // Of a filesystem that is not listed any word may be a parameter, but for what looks misspelt.
  if (listed === undefined && (near === undefined || option.includes("="))) return;
  report("is not a mount option", option, guessText(near) ?? known(type, listed));
}

function known(type: string, listed: readonly string[] | undefined): string | undefined {
  if (listed === undefined || listed.length === 0) return undefined;
  return `${type} has ${listed.join(", ")}`;
}

/** What says nothing, what mount(8) keeps to itself, and who may mount it. */
function isComment(option: string): boolean {
  if (/^(?:x-|X-|comment=)/.test(option)) return true;
  return ["", "defaults", "auto", "noauto", "nouser", "user", "_netdev", "nofail"].includes(option);
}
