/** The process of a front as the caller: what it is, and what it was given. */

import type { Caller } from "../base/caller.ts";

/** What is known of a front. */
interface FrontProcess {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
  /** Absolute, and there. */
  readonly directory: string;
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly hasEnded: () => boolean;
}

/** What the kernel adds to the path of a directory that was removed. */
const REMOVED = / \(deleted\)$/;

/** A working directory by the path that the kernel has; undefined where only the process itself can name it. */
export function directoryOf(path: string): string | undefined {
  return path.startsWith("/") && path.isWellFormed() && !REMOVED.test(path) ? path : undefined;
}

/** It lives as long as the command is at work, unless somebody kills it. */
export class FrontCaller implements Caller {
  readonly proc: string;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
  readonly #directory: string;
  readonly #environment: readonly string[];
  readonly hasEnded: () => boolean;

  constructor({ pid, uid, gid, umask, directory, env, hasEnded }: FrontProcess) {
    this.hasEnded = hasEnded;
    this.proc = `/proc/${pid}`;
    this.pid = pid;
    this.uid = uid;
    this.gid = gid;
    this.umask = umask;
    this.#directory = directory;
    this.#environment = env;
  }

  masked(mode: number): number {
    return mode & ~this.umask;
  }

  workingDirectory(): string {
    return this.#directory;
  }

  environment(): readonly string[] {
    return this.#environment;
  }

  variable(name: string): string | undefined {
    const entry = this.#environment.find((text) => text.startsWith(`${name}=`));
    return entry?.slice(name.length + 1) || undefined;
  }

  /** What it starts has its limits. */
  limits(): readonly [] {
    return [];
  }
}
