/** The configuration of a copy: that of the container, line by line, with what has to be another one there. */

import { editText, type LineChange } from "../config/edit.ts";

/** What differs in the copy. */
interface CopyChanges {
  /** Directories of the two containers. */
  readonly from: string;
  readonly to: string;
  /** `lxc.rootfs.path`; undefined: it has none. */
  readonly rootfs: string | undefined;
  /** Of the copy; undefined: that of the container. */
  readonly hostName: string | undefined;
  /** Addresses of network devices stay. */
  readonly keepAddresses: boolean;
  /** The container's directory is moved: what names it is changed in all lines. */
  readonly moved?: boolean;
  /** Lines at the end. */
  readonly further?: readonly string[];
}

/** Keys whose paths are the copy's own where they were below the container's directory. */
const OWN_PATHS = /^lxc\.(?:hook\..+|mount\.fstab|console\.logfile|log\.file)$/;
const ADDRESS = /^lxc\.net\.\d+\.hwaddr$/;
const OVERLAY = /\s(?:overlay|overlayfs)\s/;

/** The text of the copy's configuration. */
export function copiedConfig(text: string, changes: CopyChanges): string {
  const { rootfs, hostName, from, to, keepAddresses, moved = false, further = [] } = changes;
  const change: LineChange = ({ key, value }) => {
    if (key === "lxc.rootfs.path" || key === "lxc.rootfs.backend") return null;
    if (key === "lxc.uts.name" && hostName !== undefined) return null;
    if (ADDRESS.test(key) && value !== "" && !keepAddresses) return randomAddress();
    const isOwn = moved || OWN_PATHS.test(key) ||
      (key === "lxc.mount.entry" && OVERLAY.test(value));
    const inCopy = isOwn ? withPath(value, from, to) : value;
    return inCopy === value ? undefined : inCopy;
  };
  return editText(text, change, [
    ...(rootfs === undefined ? [] : [`lxc.rootfs.path = ${rootfs}`]),
    ...(hostName === undefined ? [] : [`lxc.uts.name = ${hostName}`]),
    ...further,
  ]);
}

/** The value with every path below one directory below the other one. */
function withPath(value: string, from: string, to: string): string {
  const escaped = from.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return value.replace(new RegExp(`(^|[^\\w.-])${escaped}(?=/|$|[\\s:,"'])`, "g"), `$1${to}`);
}

/** Of the range that LXC takes its addresses from. */
function randomAddress(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(3));
  return ["00", "16", "3e", ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))]
    .join(":");
}
