/** What a command left on the host: the state directory, cgroups, what init is; so that two ways can be compared. */

import { join } from "@std/path";
import { OTHERS } from "../../lib/state/id.ts";
import type { CallerNote } from "./callers.ts";
import { cgroupDirectories } from "./host.ts";
import { readIfThere } from "./look.ts";

/** What is compared. */
type Look = Readonly<Record<string, unknown>>;

/** Text with a name in the place of what differs from one way to the other. */
export type Naming = (text: string) => string;

/** Records that are no text. */
const RECORDS = ["prepared"];
/** Of a record, texts of so many letters are looked at. */
const TEXTS = /[\x20-\x7e]{12,}/g;
/** Numbers of a file of cgroups that are what was used, or who is there. */
const USED =
  /stat|service|usage|current|peak|events|failcnt|procs$|tasks$|threads$|pressure|event_control|numa|kmem|force_empty/;
const NUMBERS = /\d+/g;

/** Every file below a directory: its type, mode, owner, and what is in it. */
export function treeOf(folder: string, name: Naming): Look {
  const found: Record<string, unknown> = {};
  const look = (path: string, key: string) => {
    const { mode, uid, gid, isDirectory, isFile, isFifo } = Deno.lstatSync(path);
    const type = isDirectory ? "directory" : isFile ? "file" : isFifo ? "fifo" : "other";
    found[key] = [type, (mode ?? 0).toString(8), uid, gid, isFile ? textOf(path, name) : ""];
    if (!isDirectory) return;
    for (const entry of [...Deno.readDirSync(path)].map((one) => one.name).sort()) {
      if (key !== "" || !OTHERS.includes(entry)) look(join(path, entry), name(`${key}/${entry}`));
    }
  };
  look(folder, "");
  return found;
}

function textOf(path: string, name: Naming): string[] {
  const isRecord = RECORDS.some((record) => path.endsWith(`/${record}`));
  const bytes = Deno.readFileSync(path);
  if (!isRecord) return name(new TextDecoder().decode(bytes)).split("\n");
  const texts = new TextDecoder("latin1").decode(bytes).match(TEXTS) ?? [];
  return name(texts.join("\n")).replace(NUMBERS, "N").split("\n");
}

/** The cgroups of a container: who owns them, and each setting. */
export function cgroupsOf(id: string, name: Naming): Look {
  const own = cgroupDirectories("/sys/fs/cgroup", 4).filter((path) => path.endsWith(`/${id}`));
  return Object.fromEntries(own.sort().flatMap((path) => filesOf(path, name)));
}

function filesOf(path: string, name: Naming): [string, unknown][] {
  const { mode, uid, gid } = Deno.statSync(path);
  const files = [...Deno.readDirSync(path)].filter((entry) =>
    entry.isFile && !USED.test(entry.name)
  ).map((entry) => [name(join(path, entry.name)), settingOf(join(path, entry.name))]);
  return [[name(path), [mode, uid, gid]], ...files as [string, unknown][]];
}

function settingOf(path: string): unknown {
  const { mode, uid, gid } = Deno.statSync(path);
  return [mode, uid, gid, readIfThere(path)];
}

/** A process as the host sees it. */
export function processOf(pid: number, caller: CallerNote, name: Naming): Look {
  const file = (path: string) => name(readIfThere(`/proc/${pid}/${path}`));
  const stat = file("stat").replace(/^.*\) /s, "").split(" ").map(Number);
  const [, parent, group, session, terminal] = stat;
  const role = (number: number | undefined) =>
    number === pid ? "itself" : number === caller.session ? "the caller's" : "another";
  return {
    isChildOfCommand: parent === caller.pid,
    group: role(group),
    session: role(session),
    terminal,
    ...Object.fromEntries(
      ["cgroup", "limits", "oom_score_adj", "coredump_filter", "loginuid", "environ"]
        .map((path) => [path, file(path)]),
    ),
    // Those that are closed when the program is executed have any numbers.
    fds: [...Deno.readDirSync(`/proc/${pid}/fd`)].map((fd) =>
      name(Deno.readLinkSync(`/proc/${pid}/fd/${fd.name}`)).replace(/\[\d+\]$/, "")
    ).sort(),
  };
}
