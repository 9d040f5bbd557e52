/**
 * Resource director technology (config-linux.md, "IntelRdt"): classes and monitoring groups are
 * directories of the resctrl file system (Documentation/arch/x86/resctrl.rst, Linux 4.10).
 */

import type { Caller } from "../base/caller.ts";
import { EEXIST, ESRCH } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { isDirectory, removeIfThere } from "../base/files.ts";
import { readMountinfo } from "../base/mountinfo.ts";
import type { IntelRdt } from "../spec/types/config.ts";
import type { Undo } from "../base/undo.ts";

/** Puts threads into their class, which is made if it may be. */
export function joinResctrl(
  id: string,
  threads: readonly number[],
  rdt: IntelRdt,
  undo: Undo,
  root: string,
): void {
  const group = classOf(root, id, rdt);
  const lines = schemata(rdt);
  if (makeClass(group, rdt, lines.length > 0)) {
    // A class that was named is not the container's own; it stays.
    if (!rdt.closID) undo.add(() => removeIfThere(group));
    writeSchemata(group, lines);
  } else checkSchemata(group, lines);
  move(group, threads, "linux.intelRdt");
  if (!rdt.enableMonitoring) return;
  const monitoring = `${group}/mon_groups/${id}`;
  make(monitoring, "linux.intelRdt.enableMonitoring");
  undo.add(() => removeIfThere(monitoring));
  move(monitoring, threads, "linux.intelRdt.enableMonitoring");
}

function move(group: string, threads: readonly number[], configPath: string): void {
  for (const thread of threads) {
    try {
      write(`${group}/tasks`, String(thread), configPath);
    } catch (error) {
      if (threads.length === 1 || errnoOf(error) !== ESRCH) throw error; // it has ended meanwhile
    }
  }
}

/** Removes what {@linkcode joinResctrl} made for the container alone; unmounted, it is gone. */
export function leaveResctrl(id: string, rdt: IntelRdt, root: string | undefined): void {
  if (root === undefined) return;
  const group = classOf(root, id, rdt);
  if (rdt.enableMonitoring) removeIfThere(`${group}/mon_groups/${id}`);
  if (!rdt.closID) removeIfThere(group);
}

/** Changes the schemata of a container's class (`update`). */
export function updateResctrl(id: string, rdt: IntelRdt, root: string): void {
  writeSchemata(classOf(root, id, rdt), schemata(rdt));
}

/** Where resctrl is mounted, if it is. */
export function findResctrl({ proc }: Caller): string | undefined {
  return readMountinfo(proc, "resctrl ")[0]?.path;
}

/** As {@linkcode findResctrl}; throws when it is not mounted. */
export function resctrlRoot(caller: Caller): string {
  const root = findResctrl(caller);
  if (root !== undefined) return root;
  throw new RuntsError("the resctrl file system is not mounted", {
    configPath: "linux.intelRdt",
    hint: "mount -t resctrl resctrl /sys/fs/resctrl, on a processor that has it",
  });
}

function classOf(root: string, id: string, rdt: IntelRdt): string {
  const name = rdt.closID || id;
  return name === "/" ? root : `${root}/${name}`;
}

/** The lines in the order of the specification. */
function schemata(rdt: IntelRdt): string[] {
  const lines = [rdt.l3CacheSchema, rdt.memBwSchema, ...(rdt.schemata ?? [])];
  return lines.filter((line) => line !== undefined && line !== "") as string[];
}

/** Whether the class was made just now. */
function makeClass(group: string, rdt: IntelRdt, hasSchema: boolean): boolean {
  if (rdt.closID === "/") return false;
  if (isDirectory(group)) return false;
  if (rdt.closID && !hasSchema) {
    throw new RuntsError(`class ${quote(rdt.closID)} does not exist`, {
      configPath: "linux.intelRdt.closID",
      hint: "it is made only when a schema is given",
    });
  }
  make(group, "linux.intelRdt");
  return true;
}

/** A class that was there before is used only if it is what was asked for. */
function checkSchemata(group: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  const current = new Set(read(`${group}/schemata`).split("\n").flatMap(shares));
  const wrong = lines.find((line) => !shares(line).every((share) => current.has(share)));
  if (wrong === undefined) return;
  throw new RuntsError(`class ${quote(group)} exists with other schemata than ${quote(wrong)}`, {
    configPath: "linux.intelRdt.closID",
  });
}

/** `L3:0=f` and `L3:1=3` for `L3: 0=00f;1=3`: what a line says of each domain. */
function shares(line: string): string[] {
  const [resource = "", list = ""] = line.replace(/\s/g, "").toLowerCase().split(":");
  return list.split(";").map((share) => `${resource}:${share.replace(/=0+(?=.)/, "=")}`);
}

function writeSchemata(group: string, lines: readonly string[]): void {
  for (const line of lines) write(`${group}/schemata`, `${line}\n`, "linux.intelRdt");
}

function make(directory: string, configPath: string): void {
  try {
    Deno.mkdirSync(directory, { mode: 0o755 });
  } catch (cause) {
    if (errnoOf(cause) === EEXIST) return;
    throw new RuntsError(`make ${quote(directory)}`, { configPath, cause });
  }
}

function write(file: string, text: string, configPath: string): void {
  try {
    Deno.writeTextFileSync(file, text, { create: false });
  } catch (cause) {
    throw new RuntsError(`write ${quote(text.trim())} to ${quote(file)}`, { configPath, cause });
  }
}

function read(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (cause) {
    throw new RuntsError(`read ${quote(file)}`, { configPath: "linux.intelRdt", cause });
  }
}
