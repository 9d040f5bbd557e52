/** /proc/PID/mountinfo (proc_pid_mountinfo(5)): the mounts of a mount namespace. */

import { readBytesText } from "./bytes.ts";

/** One mount. Paths are as the process of the file sees them. */
export interface MountLine {
  readonly id: number;
  /** Id of the mount that it is on. */
  readonly parent: number;
  /** `MAJOR:MINOR` of the file system. */
  readonly device: string;
  /** The directory of the file system that is mounted. */
  readonly root: string;
  readonly path: string;
  /** Options of the mount: `rw,nosuid`. */
  readonly options: string;
  /** Propagation: `shared:1`, `master:2`; empty for a private mount. */
  readonly propagation: string;
  readonly type: string;
  readonly source: string;
  /** Options of the file system. */
  readonly superOptions: string;
}

/**
 * The mounts of a text, in the order of the kernel, in which a mount comes after the one that it is on.
 *
 * @param type only those whose file system's type begins so: the other lines, most of them, cost no time
 */
export function parseMountinfo(text: string, type = ""): MountLine[] {
  return text.split("\n").filter((line) => line.includes(` - ${type}`)).map(parseLine);
}

/**
 * The mounts of a process' mount namespace.
 *
 * @param proc its directory of /proc
 * @param type as of {@linkcode parseMountinfo}
 */
export function readMountinfo(proc: string, type?: string): MountLine[] {
  return parseMountinfo(readBytesText(`${proc}/mountinfo`), type);
}

function parseLine(line: string): MountLine {
  const separator = line.indexOf(" - ");
  const [id, parent, device = "", root = "", path = "", options = "", ...propagation] = line
    .slice(0, separator).split(" ");
  const [type = "", source = "", superOptions = ""] = line.slice(separator + 3).split(" ");
  return {
    ...{ id: Number(id), parent: Number(parent), device, root: unescape(root) },
    ...{ path: unescape(path), options, propagation: propagation.join(" ") },
    ...{ type, source: unescape(source), superOptions },
  };
}

/** Space, tab, newline and backslash are written as `\040` and so on. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}
