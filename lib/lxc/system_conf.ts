/** The file with the settings of LXC itself (lxc.system.conf(5)), and where containers are kept. */

import type { Caller } from "../base/caller.ts";
import { readFile } from "../base/files.ts";
import { readLines } from "./config/lines.ts";

/** A key, and its value where the file has none. */
const DEFAULTS = {
  "lxc.default_config": "default.conf",
  "lxc.lxcpath": "",
  "lxc.bdev.lvm.vg": "lxc",
  "lxc.bdev.lvm.thin_pool": "lxc",
  "lxc.bdev.zfs.root": "lxc",
  "lxc.cgroup.use": undefined,
  "lxc.cgroup.pattern": undefined,
} as const;

type SystemKey = keyof typeof DEFAULTS;

/** In the order in which they are listed. */
export const SYSTEM_KEYS = Object.keys(DEFAULTS) as readonly SystemKey[];

/** Whether there is such a key. */
export function isSystemKey(key: string): key is SystemKey {
  return Object.hasOwn(DEFAULTS, key);
}

/** A value; undefined where nothing is set and nothing is usual. */
export function systemValue(caller: Caller, key: SystemKey): string | undefined {
  const text = readFile(`${configDirectory(caller)}/lxc.conf`) ?? "";
  const value = readLines(text).findLast((line) => line.key === key)?.value;
  if (value) return value;
  if (key === "lxc.default_config") return `${configDirectory(caller)}/${DEFAULTS[key]}`;
  return key === "lxc.lxcpath" ? defaultPath(caller) : DEFAULTS[key];
}

/** Root has its containers where the system keeps its data, others below their home. */
function defaultPath(caller: Caller): string {
  return caller.uid === 0 ? "/var/lib/lxc" : `${home(caller)}/.local/share/lxc`;
}

function configDirectory(caller: Caller): string {
  return caller.uid === 0 ? "/etc/lxc" : `${home(caller)}/.config/lxc`;
}

function home(caller: Caller): string {
  return caller.variable("HOME") ?? "";
}
