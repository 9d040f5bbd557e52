/**
 * The state directory ROOT/ID, laid out as crun's, so that either runtime can take over:
 *
 * - `status`: what is known of the container; written last, so its presence means "was created"
 * - `config.json`: the copy of the configuration that every later command reads
 * - `exec.fifo`: there until start; init waits at it
 * - ours: `preparing` and then `creating` (what create is about to make, until `status` is there),
 *   `result.fifo` (how the execution of the program went), `lock`, `notify/`
 */

import { EEXIST, ENOENT, ENOTDIR } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { isDirectory, removeIfThere } from "../base/files.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { checkId, OTHERS } from "./id.ts";
import { DAMAGED, formatStatus, isIds, parseStatus, type Status } from "./status.ts";

/** Begins the name of a directory that is being removed; its inode number follows. No id has a tilde. */
const REMOVED = ".removed~";

/** Bytes: no record is as long, and no configuration that is taken (DOCUMENT_MAX). */
const RECORD_MAX = 64 * 1024 * 1024;

/** What create makes before it has written down anything of the container. */
const BEFORE_RECORDS = ["lock", ".preparing.new"];

/** The process that is creating a container, and what it had set out to make. */
export interface Intent {
  readonly creator: { readonly pid: number; readonly startTime: number };
  readonly status: Status;
  /** Whether it had its cgroup by then; else whoever is in there is a stranger. */
  readonly hasCgroup: boolean;
  /** Without a mount namespace: ids of the mounts that were below the root filesystem before. */
  readonly mountsBefore?: readonly number[];
}

/** One container's directory. Nothing is read or made before a method is called. */
export class StateDirectory {
  readonly root: string;
  readonly path: string;

  constructor(
    readonly runtime: Pick<Runtime, "root" | "caller" | "host">,
    readonly id: string,
  ) {
    this.root = runtime.root;
    this.path = `${runtime.root}/${checkId(id)}`;
  }

  /** Path of a file in the directory. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /**
   * Makes the directory; an existing one is `container with given ID already exists`, unless whoever
   * made it was killed before it had written anything down.
   *
   * @param hint what helps when the root cannot be made
   */
  make(hint?: string): void {
    try {
      makeBelow(this.root, this.path);
    } catch (cause) {
      if (errnoOf(cause) === EEXIST && this.exists()) {
        if (this.isUnused() && !this.isLocked()) return;
        throw alreadyExists();
      }
      if (errnoOf(cause) === EEXIST && !isDirectory(this.root)) {
        throw new RuntsError(`state root ${quote(this.root)} is not a directory`);
      }
      throw new RuntsError(`make state directory ${quote(this.path)}`, { cause, hint });
    }
  }

  /** Whether nothing has been written down in it: no container has been made in it. */
  isUnused(): boolean {
    try {
      return [...Deno.readDirSync(this.path)].every(({ name }) => BEFORE_RECORDS.includes(name));
    } catch (cause) {
      if (errnoOf(cause) === ENOENT) return true;
      throw new RuntsError(`list state directory ${quote(this.path)}`, { cause });
    }
  }

  /** Whether somebody is at work in it. */
  isLocked(): boolean {
    try {
      if (!Deno.lstatSync(this.file("lock")).isFile) return false;
      using lock = Deno.openSync(this.file("lock"));
      return !lock.tryLockSync();
    } catch {
      return false; // it is not there
    }
  }

  /** Whether there is such a directory. One that belongs to somebody else is an error. */
  exists(): boolean {
    let info: Deno.FileInfo;
    try {
      info = Deno.lstatSync(this.path);
    } catch (cause) {
      const errno = errnoOf(cause);
      if (errno === ENOENT || errno === ENOTDIR) return false;
      throw new RuntsError(`look up state directory ${quote(this.path)}`, { cause });
    }
    if (!info.isDirectory) {
      throw new RuntsError(`state directory ${quote(this.path)} is not a directory`);
    }
    const { uid } = this.runtime.caller;
    if (info.uid !== uid && info.uid !== 0) {
      throw new RuntsError(
        `state directory ${quote(this.path)} belongs to user ${info.uid}, not to ${uid}`,
      );
    }
    return true;
  }

  /** The status, or undefined when create has not got so far (or never will). */
  readStatus(): Status | undefined {
    const text = this.readText("status");
    return text === undefined ? undefined : parseStatus(text, this.file("status"));
  }

  /** Replaces the status in one step. */
  writeStatus(status: Status): void {
    this.replace("status", formatStatus(status));
  }

  /** Writes the status beside its place, where nobody takes it for true. */
  prepareStatus(status: Status): void {
    this.write(besides("status"), formatStatus(status));
  }

  /** What was prepared is true. */
  commitStatus(): void {
    this.#place("status");
  }

  /** What an unfinished create had set out to make. */
  readIntent(): Intent | undefined {
    // The one may become the other meanwhile.
    for (const name of ["creating", "preparing", "creating"]) {
      const text = this.readText(name);
      if (text !== undefined) return parseIntent(text, this.file(name), name === "creating");
    }
    return undefined;
  }

  /** Records what is going to be made. */
  writeIntent({ creator, status, mountsBefore }: Omit<Intent, "hasCgroup">): void {
    const [by, mounts] = [creator, mountsBefore].map((value) => JSON.stringify(value));
    const last = mounts === undefined ? "" : `,"mountsBefore":${mounts}`;
    this.replace("preparing", `{"creator":${by},"status":${formatStatus(status)}${last}}`);
  }

  /** From now on those in the cgroup belong to the container. */
  noteCgroup(): void {
    Deno.renameSync(this.file("preparing"), this.file("creating"));
  }

  clearIntent(): void {
    removeIfThere(this.file("creating"));
  }

  /** The text of a file in the directory; undefined when it is not there. */
  readText(name: string): string | undefined {
    const path = this.file(name);
    let cause: string;
    try {
      const { isFile, size } = Deno.statSync(path);
      // Reading a fifo would wait for a writer.
      if (isFile && size <= RECORD_MAX) return Deno.readTextFileSync(path);
      cause = isFile
        ? `it is longer than ${RECORD_MAX / 1024 / 1024} MiB`
        : "it is not a regular file";
    } catch (error) {
      if (errnoOf(error) === ENOENT) return undefined;
      throw new RuntsError(`read ${quote(path)}`, { cause: error });
    }
    throw new RuntsError(`read ${quote(path)}`, { cause, hint: DAMAGED });
  }

  /** Removes what nobody can read, so that a record can be written in its place. */
  removeUnlessFile(name: string): void {
    try {
      if (Deno.lstatSync(this.file(name)).isFile) return;
      Deno.removeSync(this.file(name), { recursive: true });
    } catch (cause) {
      if (errnoOf(cause) === ENOENT) return;
      throw new RuntsError(`remove ${quote(this.file(name))}`, { cause });
    }
  }

  write(name: string, text: string): void {
    try {
      Deno.writeTextFileSync(this.file(name), text, { mode: 0o600 });
    } catch (cause) {
      throw new RuntsError(`write ${quote(this.file(name))}`, { cause });
    }
  }

  /** Writes a file beside its place and renames it into place. */
  replace(name: string, text: string): void {
    this.write(besides(name), text);
    this.#place(name);
  }

  #place(name: string): void {
    try {
      Deno.renameSync(this.file(besides(name)), this.file(name));
    } catch (cause) {
      throw new RuntsError(`write ${quote(this.file(name))}`, { cause });
    }
  }

  /** Whether the container waits at its fifo to be started. */
  waitsForStart(): boolean {
    try {
      return Deno.lstatSync(this.file("exec.fifo")).isFifo === true;
    } catch {
      return false;
    }
  }

  /**
   * Removes the directory and all that is in it. Nothing there is success. It loses its name first:
   * who waits for the lock must not come upon a half of it, nor lock it by a new file. Once it has,
   * the container is gone; what cannot be removed is told to `warn` then, if that is given.
   */
  remove(warn?: (message: string) => void): void {
    let moved = false;
    try {
      const { ino } = Deno.lstatSync(this.path);
      const removed = `${this.root}/${REMOVED}${ino}`;
      Deno.renameSync(this.path, removed);
      moved = true;
      Deno.removeSync(removed, { recursive: true });
    } catch (cause) {
      if (errnoOf(cause) === ENOENT) return;
      const error = new RuntsError(`remove state directory ${quote(this.path)}`, { cause });
      if (!moved || warn === undefined) throw error;
      warn(error.message);
    }
  }
}

/** The name under which a file is written that is going to be another one. */
function besides(name: string): string {
  return `.${name}.new`;
}

/** Removes what is left of directories whose removal was killed, as far as that can be done. */
export function sweepRemoved(root: string): void {
  try {
    for (const { name } of Deno.readDirSync(root)) {
      if (name.startsWith(REMOVED)) Deno.removeSync(`${root}/${name}`, { recursive: true });
    }
  } catch {
    // There is no root, it is another user's, or whoever was at it has got to its end.
  }
}

/** Makes a directory; its root, too, when that is not there yet. */
function makeBelow(root: string, path: string): void {
  try {
    Deno.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // A root that is a file says so when it is made.
    if (![ENOENT, ENOTDIR].includes(errnoOf(error) ?? 0)) throw error;
    Deno.mkdirSync(root, { recursive: true, mode: 0o700 });
    Deno.mkdirSync(path, { mode: 0o700 });
  }
}

/** The error for an id that is taken; clients look for its words. */
export function alreadyExists(): RuntsError {
  return new RuntsError("container with given ID already exists");
}

/** Undefined when the file is damaged. */
function parseIntent(text: string, file: string, hasCgroup: boolean): Intent | undefined {
  try {
    const { creator, status, mountsBefore } = JSON.parse(text);
    return {
      creator: { pid: Number(creator?.pid), startTime: Number(creator?.startTime) },
      status: parseStatus(JSON.stringify(status), file),
      hasCgroup,
      ...(isIds(mountsBefore) && { mountsBefore }),
    };
  } catch {
    return undefined;
  }
}

/** Names of the containers below a root, in order; what is no container's directory is left out. */
export function listIds(root: string): string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(root)];
  } catch (cause) {
    if (errnoOf(cause) === ENOENT) return [];
    throw new RuntsError(`read state root ${quote(root)}`, { cause });
  }
  return entries.filter(({ isDirectory, name }) =>
    isDirectory && !OTHERS.includes(name) && !name.startsWith(REMOVED)
  ).map(({ name }) => name).sort();
}
