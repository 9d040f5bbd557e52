/** The root filesystem, /dev, and everything that is mounted. */

import { cleanPathFrom, isWithin, normalize } from "../../base/paths.ts";
import type { Linux, Mount, Root } from "../../spec/types/config.ts";
import { lastAutoMounts } from "../config/keys.ts";
import type { Finding, Place } from "../config/place.ts";
import { reporter } from "../config/settings.ts";
import { type AutoMount } from "../config/values_more.ts";
import { type MountEntry, mountEntry } from "../config/values_mount.ts";
import type { Draft } from "./draft.ts";
import { keeps } from "./process.ts";
import type { Beyond, MountRule, Rootfs } from "./types.ts";

/** How many pseudo terminals a container has that does not say. */
const USUAL_PTYS = 1024;
/** GID of the group `tty`. */
const TTY_GROUP = 5;

/** What the specification has of it. */
interface MountPlan {
  readonly root: Root;
  readonly mounts: readonly Mount[];
  readonly linux: Pick<Linux, "readonlyPaths" | "rootfsPropagation">;
  readonly beyond: Pick<
    Beyond,
    "rootfs" | "dev" | "mounts" | "writable"
  >;
}

/** Mounts in the order in which they are made. */
class Mounts {
  readonly list: Mount[] = [];
  readonly rules: Record<number, MountRule> = {};
  readonly readonlyPaths: string[] = [];
  readonly writable: string[] = [];

  constructor(readonly draft: Draft) {}

  /** @param rule without one the mount point is made */
  add(mount: Mount, at?: Place, rule?: MountRule): void {
    const index = this.list.push(mount) - 1;
    this.draft.from(`mounts[${index}]`, at);
    if (rule !== undefined) this.rules[index] = rule;
  }

  /** A path that is read-only. */
  lock(path: string, at: Place): void {
    this.draft.from(`linux.readonlyPaths[${this.readonlyPaths.length}]`, at);
    this.readonlyPaths.push(path);
  }

  open(path: string, at: Place): void {
    this.draft.from(`beyond.writable[${this.writable.length}]`, at);
    this.writable.push(path);
  }
}

/** All mounts of a container. */
export function planMounts(draft: Draft, cgroupNamespace: boolean): MountPlan {
  const { config } = draft;
  const rootfs = planRootfs(draft);
  const mounts = new Mounts(draft);
  const autodev = draft.take("beyond.dev.populate", config.get("lxc.autodev"), true);
  if (autodev && rootfs.driver !== "host") addDev(mounts);
  const given = config.all("lxc.mount.auto");
  const auto = lastAutoMounts(given.map(({ value }) => value)).map((value) => ({
    value,
    at: given.findLast((one) => one.value === value)!.at,
  }));
  for (const { value, at } of auto) addAuto(mounts, value, at);
  addEntries(mounts, rootfs);
  for (const { value, at } of auto) addLate(mounts, value, at, cgroupNamespace);
  addPts(mounts);
  return {
    root: planRoot(draft, rootfs),
    mounts: mounts.list,
    linux: {
      // New mounts of the host appear inside, and none of the container's on the host.
      rootfsPropagation: "rslave",
      ...(mounts.readonlyPaths.length > 0 && { readonlyPaths: mounts.readonlyPaths }),
    },
    beyond: {
      rootfs,
      dev: {
        populate: autodev,
        bootId: autodev && rootfs.driver !== "host" &&
          auto.some(({ value }) => value.what === "proc"),
      },
      mounts: mounts.rules,
      writable: mounts.writable,
    },
  };
}

function planRootfs(draft: Draft): Rootfs {
  const { config } = draft;
  const source = config.get("lxc.rootfs.path");
  const options = config.get("lxc.rootfs.options");
  draft.from("beyond.rootfs", source?.at);
  draft.from("beyond.rootfs.options", options?.at);
  const given = source?.value ?? { driver: "host" as const, parts: [] };
  // A subvolume of btrfs is a directory.
  const [driver, parts] = [given.driver === "btrfs" ? "dir" : given.driver, given.parts];
  const idmap = options?.value.find((option) => option.startsWith("idmap="))?.slice(6);
  if (idmap !== undefined) checkIdmap(draft, idmap, options!.at);
  if (idmap !== undefined && driver === "overlay") {
    draft.fail(options!.at, "the kernel maps no ids of an overlay");
  }
  const upper = parts.at(-1) ?? "";
  const place = config.get("lxc.rootfs.mount");
  const usual = driver === "dir" ? parts[0]! : draft.input.host.mountPlace;
  return {
    driver,
    parts,
    ...(driver === "overlay" && { work: `${normalize(`${upper}/..`)}/work` }),
    mount: draft.take("beyond.rootfs.mount", place, usual),
    options: options?.value.filter((option) => !option.startsWith("idmap=")) ?? [],
    ...(idmap !== undefined && { idmap }),
    managed: draft.take("beyond.rootfs.managed", config.get("lxc.rootfs.managed"), true),
  };
}

/** The ids of a mount can be the container's only where it has some of its own. */
function checkIdmap(draft: Draft, idmap: string, at: Place): void {
  const { config } = draft;
  if (idmap === "container" && config.all("lxc.idmap").length === 0) {
    draft.fail(at, "idmap=container needs lxc.idmap");
  } else if (idmap !== "container" && !idmap.startsWith("/")) {
    draft.fail(at, `idmap="${idmap}" is neither "container" nor the path of a user namespace`);
  }
}

/** A directory is what it is, unless it is to be somewhere else; anything else is mounted. */
function planRoot(draft: Draft, { driver, mount, options }: Rootfs): Root {
  const { config } = draft;
  const place = driver === "host" ? undefined : config.get("lxc.rootfs.mount");
  draft.from("root.path", place?.at ?? config.get("lxc.rootfs.path")?.at);
  draft.from("root.readonly", config.get("lxc.rootfs.options")?.at);
  const path = driver === "host" ? "/" : mount;
  return { path, ...(options.includes("ro") && { readonly: true }) };
}

function addDev(mounts: Mounts): void {
  const { config } = mounts.draft;
  const size = config.get("lxc.autodev.tmpfs.size");
  mounts.add({
    destination: "/dev",
    type: "tmpfs",
    source: "none",
    options: ["mode=755", `size=${size?.value ?? 500_000}`],
  }, size?.at ?? config.get("lxc.autodev")?.at);
}

const FIXED = ["nosuid", "nodev", "noexec"];

function addAuto(mounts: Mounts, auto: AutoMount, at: Place): void {
  if (auto.what === "proc") {
    mounts.add({ destination: "/proc", type: "proc", source: "proc", options: FIXED }, at);
    if (auto.mode === "rw") return;
    mounts.lock("/proc/sys", at);
    mounts.lock("/proc/sysrq-trigger", at);
    if (keeps(mounts.draft, "CAP_NET_ADMIN")) mounts.open("/proc/sys/net", at);
  } else if (auto.what === "sys") {
    const options = auto.mode === "rw" ? FIXED : [...FIXED, "ro"];
    mounts.add({ destination: "/sys", type: "sysfs", source: "sysfs", options }, at);
    if (auto.mode === "mixed") mounts.open("/sys/devices/virtual/net", at);
  }
}

/**
 * What is mounted after the listed mounts. With a cgroup namespace the container mounts cgroups itself; it is
 * done for it only by force. A directory that is shared shows what the host mounts below.
 */
function addLate(mounts: Mounts, auto: AutoMount, at: Place, cgroupNamespace: boolean): void {
  if (auto.what === "shmounts") {
    const options = ["rbind", "rslave"];
    mounts.add({ destination: auto.inside, source: auto.host, options }, at);
  } else if (auto.what !== "proc" && auto.what !== "sys" && (!cgroupNamespace || auto.force)) {
    const mode = auto.mode ?? (keeps(mounts.draft, "CAP_SYS_ADMIN") ? "rw" : "mixed");
    mounts.add({
      destination: "/sys/fs/cgroup",
      type: auto.unified ? "cgroup2" : "cgroup",
      source: "cgroup",
      options: [...FIXED, mode === "ro" ? "ro" : "rw"],
    }, at);
  }
}

/** The file of mounts first, then the single ones. */
function addEntries(mounts: Mounts, rootfs: Rootfs): void {
  const { draft } = mounts;
  for (const { value, at } of fstabEntries(draft)) addEntry(mounts, value, at, rootfs);
  for (const { value, at } of draft.config.all("lxc.mount.entry")) {
    addEntry(mounts, value, at, rootfs);
  }
}

function fstabEntries({ input, findings }: Draft): { value: MountEntry; at: Place }[] {
  if (input.fstab === undefined) return [];
  const { path, text } = input.fstab;
  const lines = text.split("\n").map((line) => line.trim());
  return lines.flatMap((line, index) => {
    if (line === "" || line.startsWith("#")) return [];
    const at = { file: path, line: index + 1, key: "" };
    const found: Finding[] = [];
    const value = mountEntry(line, reporter(found, line, at));
    findings.push(...found);
    return found.length > 0 ? [] : { value, at };
  });
}

function addEntry(mounts: Mounts, entry: MountEntry, at: Place, rootfs: Rootfs): void {
  const { draft } = mounts;
  const { source, type, options, create, optional, relative, idmap } = entry;
  const isBind = options.some((option) => option === "bind" || option === "rbind");
  if (idmap !== undefined) checkIdmap(draft, idmap, at);
  mounts.add(
    {
      destination: destinationOf(entry.target, rootfs),
      ...(type !== "none" && { type }),
      source: relative
        ? cleanPathFrom(rootfs.mount, normalize(source).slice(1))
        : isBind
        ? cleanPathFrom("/", source)
        : source,
      ...(options.length > 0 && { options }),
    },
    at,
    {
      ...(create && { create }),
      ...(optional && { optional }),
      ...(relative && { relative }),
      ...(idmap !== undefined && { idmap }),
    },
  );
}

/** A target may be written with the path of the root filesystem in front, or of its mount. */
function destinationOf(target: string, { driver, parts, mount }: Rootfs): string {
  if (!target.startsWith("/")) return cleanPathFrom("/", target);
  const path = cleanPathFrom("/", target);
  const roots = driver === "dir" ? [...parts, mount] : [mount];
  const root = roots.find((one) => isWithin(path, cleanPathFrom("/", one)));
  if (root === undefined || driver === "host") return path;
  return path.slice(cleanPathFrom("/", root).length) || "/";
}

/** Pseudo terminals of the container's own. */
function addPts(mounts: Mounts): void {
  const { config } = mounts.draft;
  const max = config.get("lxc.pty.max");
  const ttys = config.get("lxc.tty.max")?.value ?? 0;
  mounts.add({
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: [
      ...["nosuid", "noexec", "newinstance", `gid=${TTY_GROUP}`, "mode=620", "ptmxmode=666"],
      `max=${(max?.value || USUAL_PTYS) + ttys}`,
    ],
  }, max?.at);
}
