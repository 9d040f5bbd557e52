/** What is written down of a task, so that the next brain goes on where one has ended. */

import { errnoOf, reason } from "../base/errors.ts";
import { ENOENT } from "../base/errno.ts";
import { isDirectory } from "../base/files.ts";
import { writeRecord } from "../state/record.ts";
import type { TaskOptions } from "./options.ts";

/** Where the standard streams of a process lead, as a client has it: paths or URLs; empty: nowhere. */
export interface Io {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
}

/** How a process ended. */
export interface Exit {
  /** 128 + signal for one that was killed. */
  readonly code: number;
  /** ns since 1970, decimal. */
  readonly at: string;
}

/** A process of a task. */
export interface ProcessEntry {
  readonly io: Io;
  state: "created" | "running" | "stopped";
  /** 0: there was none yet. */
  pid: number;
  exit?: Exit;
  /** The process of an exec that was not started yet, in JSON. */
  spec?: string;
  /** The program that takes its output. */
  logger?: number;
}

/** An event that containerd has not acknowledged yet. */
export interface PendingEvent {
  readonly topic: string;
  readonly type: string;
  /** The message, in base64. */
  readonly value: string;
  /** ns since 1970, decimal. */
  readonly at: string;
}

/** What a task is restored from. */
export interface RestoreEntry {
  /** Directory of the image. */
  readonly image: string;
  /** What a container that is made would have of the options. */
  readonly options: MakeOptions;
}

/** What of the options of a task is for the making of its container. */
export type MakeOptions = Pick<TaskOptions, "noPivot" | "noNewKeyring" | "systemdCgroup">;

/** A task. */
export interface TaskEntry {
  readonly id: string;
  readonly bundle: string;
  /** State root. */
  readonly root: string;
  readonly ioUid: number;
  readonly ioGid: number;
  phase: "creating" | "made" | "deleted";
  /** It is made when it is started, out of an image. */
  readonly restore?: RestoreEntry;
  readonly init: ProcessEntry;
  readonly execs: Record<string, ProcessEntry>;
  readonly outbox: PendingEvent[];
  /** How many kills for want of memory were told of. */
  oomTold: number;
}

/** What is written down of a group, when it is begun. */
export interface GroupEntry {
  readonly namespace: string;
  readonly group: string;
  /** That of whoever has begun it: its log is the group's. */
  readonly bundle: string;
  /** Where events go: a path. */
  readonly events: string;
  /** Path of the socket that containerd connects to. */
  readonly socket: string;
  /** Containerd has said that nothing more will come. */
  readonly over?: boolean;
}

const GROUP = "group.json";
const SUFFIX = ".task";

/** Reads and writes the records of one group. */
export class GroupFiles {
  constructor(readonly directory: string) {}

  writeGroup(entry: GroupEntry): void {
    Deno.mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    writeRecord(`${this.directory}/${GROUP}`, entry);
  }

  /** Undefined for one that there is no more. */
  readGroup(): GroupEntry | undefined {
    try {
      return JSON.parse(Deno.readTextFileSync(`${this.directory}/${GROUP}`)) as GroupEntry;
    } catch (error) {
      if (errnoOf(error) === ENOENT) return undefined;
      throw error;
    }
  }

  write(entry: TaskEntry): void {
    writeRecord(`${this.directory}/${entry.id}${SUFFIX}`, entry);
  }

  remove(id: string): void {
    try {
      Deno.removeSync(`${this.directory}/${id}${SUFFIX}`);
    } catch (error) {
      if (errnoOf(error) !== ENOENT) throw error;
    }
  }

  /** The tasks; what is damaged is told of. */
  read(warn: (message: string) => void): TaskEntry[] {
    const entries: TaskEntry[] = [];
    for (const { name } of Deno.readDirSync(this.directory)) {
      if (!name.endsWith(SUFFIX)) continue;
      try {
        const text = Deno.readTextFileSync(`${this.directory}/${name}`);
        entries.push(JSON.parse(text) as TaskEntry);
      } catch (error) {
        warn(`read ${JSON.stringify(`${this.directory}/${name}`)}: ${reason(error)}`);
      }
    }
    return entries;
  }

  /** Whether no task is written down. */
  isEmpty(): boolean {
    return this.read(() => {}).length === 0;
  }

  /** Whether nothing is to be written down any more. */
  isOver(): boolean {
    return !isDirectory(this.directory);
  }

  /** The group is over. */
  end(): void {
    try {
      Deno.removeSync(this.directory, { recursive: true });
    } catch (error) {
      if (errnoOf(error) !== ENOENT) throw error;
    }
  }
}
