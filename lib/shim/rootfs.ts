/** What containerd wants mounted on the root filesystem of a container. */

import { detachMount, mount } from "../../ffi/mounts.ts";
import type { Caller } from "../base/caller.ts";
import { readMountinfo } from "../base/mountinfo.ts";
import { isWithin } from "../base/paths.ts";
import type { Decoded } from "../wire/protobuf.ts";
import type { MOUNT } from "./messages.ts";

/** Flags of mount(2), by the options that set them; linux/mount.h. */
const SETS: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  dirsync: 128,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  rbind: 4096 | 16384,
  relatime: 1 << 21,
  strictatime: 1 << 24,
};
const CLEARS: Readonly<Record<string, number>> = {
  rw: 1,
  suid: 2,
  dev: 4,
  exec: 8,
  async: 16,
  atime: 1024,
  diratime: 2048,
};
const IGNORED = ["defaults", "rprivate", "private"];
const BIND = 4096;
const REMOUNT = 32;
const PRIVATE = 1 << 18;
/** The kernel takes less than that of options (mount(2)). */
const PAGE = 4096;

/** Mounts them on BUNDLE/rootfs. */
export function mountRootfs(rootfs: string, mounts: readonly Decoded<typeof MOUNT>[]): void {
  if (mounts.length === 0) return;
  try {
    Deno.mkdirSync(rootfs, { mode: 0o711 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  for (const { type, source, target, options } of mounts) {
    const { flags, data } = parse(options);
    const on = target === "" || target === "/" ? rootfs : `${rootfs}/${target}`;
    const common = { source, target: on, type, data };
    if ((flags & BIND) === 0) mount({ ...common, flags, ...shortened(data) });
    else {
      mount({ ...common, flags: flags & (BIND | 16384), data: "" });
      const others = flags & ~16384;
      if (others !== BIND) mount({ ...common, flags: others | REMOUNT, data: "" });
    }
  }
  mount({ source: "", target: rootfs, type: "", flags: PRIVATE, data: "" });
}

function parse(options: readonly string[]): { flags: number; data: string } {
  let flags = 0;
  const data: string[] = [];
  for (const option of options) {
    if (Object.hasOwn(SETS, option)) flags |= SETS[option]!;
    else if (Object.hasOwn(CLEARS, option)) flags &= ~CLEARS[option]!;
    else if (!IGNORED.includes(option)) data.push(option);
  }
  return { flags, data: data.join(",") };
}

/** Options of a page or more, with the layers of an overlay named from the directory on that has them all. */
export function shortened(data: string): { data: string; directory?: string } {
  const [, before = "", layers = "", after = ""] = /^(.*?)\blowerdir=([^,]*)(.*)$/s.exec(data) ??
    [];
  if (data.length < PAGE || layers === "") return { data };
  const paths = layers.split(":");
  const directory = commonDirectory(paths);
  const names = paths.map((path) => path.slice(directory.length + 1));
  return { data: `${before}lowerdir=${names.join(":")}${after}`, directory: directory || "/" };
}

/** The deepest directory that is above all of them; "" for the root. */
function commonDirectory(paths: readonly string[]): string {
  const parents = paths.map((path) => path.split("/").slice(0, -1));
  const [first = []] = parents;
  const differs = first.findIndex((name, index) => parents.some((names) => names[index] !== name));
  return (differs < 0 ? first : first.slice(0, differs)).join("/");
}

/** Takes away whatever is mounted there and below. */
export function unmountRootfs({ proc }: Caller, rootfs: string): void {
  const found = readMountinfo(proc).filter(({ path }) => isWithin(path, rootfs));
  for (const { path } of found.reverse()) detachMount(path);
}
