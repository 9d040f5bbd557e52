/** Ids that a user may map beside its own: /etc/subuid and /etc/subgid (subuid(5)). */

import { readFile } from "../base/files.ts";

/** The two files. */
export type SubordinateFile = "/etc/subuid" | "/etc/subgid";

/** Ids of the host. */
export interface IdRange {
  readonly start: number;
  readonly count: number;
}

const DECIMAL = /^\d{1,10}$/;

/** The name of a user in /etc/passwd; undefined when it has none. */
export function userName(uid: number, passwd: string): string | undefined {
  for (const line of passwd.split("\n")) {
    const [name, , id] = line.split(":");
    if (name && id === String(uid)) return name;
  }
  return undefined;
}

/** The ranges of one user, who is given by name or by number there. */
export function rangesOf(text: string, uid: number, name: string | undefined): IdRange[] {
  const ranges: IdRange[] = [];
  for (const line of text.split("\n")) {
    const [owner, start, count] = line.trim().split(":");
    if (owner !== String(uid) && (name === undefined || owner !== name)) continue;
    if (!DECIMAL.test(start ?? "") || !DECIMAL.test(count ?? "")) continue;
    const range = { start: Number(start), count: Number(count) };
    if (range.count > 0) ranges.push(range);
  }
  return ranges;
}

/** The name of the user of this process. */
export function ownName(uid: number): string | undefined {
  return userName(uid, readFile("/etc/passwd") ?? "");
}

/** The ranges of the user of this process; none when the file cannot be read. */
export function ownRanges(file: SubordinateFile, uid: number): IdRange[] {
  return rangesOf(readFile(file) ?? "", uid, ownName(uid));
}
