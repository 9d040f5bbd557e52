/**
 * Which containers use the root filesystem of another one: `lxc_snapshots` in the directory of that one and
 * `lxc_rdepends` in theirs, as LXC writes them: the directory of containers in a line, and the name in the next.
 */

import { readFile, removeIfThere, statFile } from "../../base/files.ts";
import { isDefined } from "../place.ts";

/** A container by its place. */
export interface Placed {
  readonly lxcpath: string;
  readonly name: string;
}

/** Its directory. */
export function directoryOf({ lxcpath, name }: Placed): string {
  return `${lxcpath}/${name}`;
}

function usersFile(of: Placed): string {
  return `${directoryOf(of)}/lxc_snapshots`;
}

function usedFile(of: Placed): string {
  return `${directoryOf(of)}/lxc_rdepends`;
}

function readPairs(file: string): Placed[] {
  const lines = readFile(file)?.split("\n") ?? [];
  const pairs: Placed[] = [];
  for (let at = 0; at + 1 < lines.length; at += 2) {
    pairs.push({ lxcpath: lines[at]!, name: lines[at + 1]! });
  }
  return pairs;
}

function writePairs(file: string, pairs: readonly Placed[]): void {
  if (pairs.length === 0) return removeIfThere(file);
  const text = pairs.map(({ lxcpath, name }) => `${lxcpath}\n${name}\n`).join("");
  Deno.writeTextFileSync(`${file}.new`, text);
  Deno.renameSync(`${file}.new`, file);
}

function isSame(a: Placed, b: Placed): boolean {
  return a.lxcpath === b.lxcpath && a.name === b.name;
}

/** Those that use it; what is noted of containers that are gone does not count. */
export function dependentsOf(container: Placed): Placed[] {
  return readPairs(usersFile(container)).filter(({ lxcpath, name }) => isDefined(lxcpath, name));
}

/** Those that it uses. */
export function dependsOn(container: Placed): Placed[] {
  return readPairs(usedFile(container));
}

/** Notes which containers it uses, with each of them, too. */
export function noteDependences(container: Placed, used: readonly Placed[]): void {
  if (used.length === 0) return;
  for (const one of used) {
    if (statFile(directoryOf(one)) === undefined) continue;
    const others = readPairs(usersFile(one)).filter((other) => !isSame(other, container));
    writePairs(usersFile(one), [...others, container]);
  }
  writePairs(usedFile(container), used);
}

/** It uses them no more. */
export function forgetDependences(container: Placed): void {
  for (const one of dependsOn(container)) {
    if (statFile(usersFile(one)) === undefined) continue;
    const others = readPairs(usersFile(one)).filter((other) => !isSame(other, container));
    writePairs(usersFile(one), others);
  }
}
