/**
 * The files of a container. Where its ids are mapped and the caller is an ordinary user, they belong to ids that the
 * caller may do nothing for: a command that is root of the container's user namespace works on them.
 */

import { removeIfThere } from "../../base/files.ts";
import { RuntsError } from "../../base/errors.ts";
import { ownCommand } from "../../base/own_command.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import type { LxcConfig } from "../config/config.ts";
import { mapUsers, type Users, usersOf } from "./users.ts";
import { perform, type Work } from "./work.ts";

/** What is to be said of work that failed. */
export interface FailedWork {
  readonly operation: string;
  readonly errno?: number;
  /** Where there is no number. */
  readonly cause?: string;
}

/** Works on the files of one container. */
export class StoredFiles {
  readonly #runtime: LoadedRuntime;
  readonly #users: Users | undefined;

  constructor(runtime: LoadedRuntime, config: LxcConfig) {
    this.#runtime = runtime;
    this.#users = usersOf(config, runtime.caller);
  }

  /** Whether another process has to do it. */
  get #isForeign(): boolean {
    return this.#users !== undefined && this.#runtime.caller.uid !== 0;
  }

  async do(work: Work, signal?: AbortSignal): Promise<void> {
    if (!this.#isForeign) return await perform(this.#runtime, work, signal);
    try {
      await runInNamespace(this.#runtime, this.#users!, work, signal);
    } catch (error) {
      // The directory above may be one that the caller alone may write to.
      if (work.kind !== "remove" || !isRemoved(work.path)) throw error;
    }
  }

  /** Gives a file to the container's root; an ordinary user keeps its group, and so a way to it. */
  async giveToRoot(path: string): Promise<void> {
    const { uids, gids } = this.#users ?? {};
    if (uids?.root === undefined || gids?.root === undefined) return;
    const owner = this.#isForeign ? { uid: 0, gid: gids.own } : { uid: uids.root, gid: gids.root };
    await this.do({ kind: "own", path, ...owner });
  }

  /** Gives a file to the caller. */
  async takeBack(path: string): Promise<void> {
    if (this.#users === undefined) return;
    const { uids, gids } = this.#users;
    const { uid, gid } = this.#runtime.caller;
    const owner = this.#isForeign ? { uid: uids.own, gid: gids.own } : { uid, gid };
    await this.do({ kind: "own", path, ...owner });
  }
}

/** Removes a directory that is empty. */
function isRemoved(path: string): boolean {
  try {
    Deno.removeSync(path);
    return true;
  } catch {
    return false; // it is not
  }
}

async function runInNamespace(
  runtime: LoadedRuntime,
  users: Users,
  work: Work,
  signal?: AbortSignal,
): Promise<void> {
  const report = Deno.makeTempFileSync({ prefix: "runts-" });
  try {
    const args = [
      ...[...ownCommand(), "--root", runtime.root, "files", report, JSON.stringify(work)],
    ];
    const { code } = await runtime.body.runProgram({
      path: args[0]!,
      args,
      env: runtime.caller.environment(),
      mapUsers: mapUsers(runtime, users),
    }, signal);
    if (code === 0) return;
    const text = Deno.readTextFileSync(report);
    // Written by runts, for itself.
    throw failure(text === "" ? { operation: "work on its files" } : JSON.parse(text));
  } finally {
    removeIfThere(report);
  }
}

function failure({ operation, errno, cause }: FailedWork): RuntsError {
  return new RuntsError(operation, {
    ...(errno !== undefined && { errno }),
    ...(cause !== undefined && { cause: new Error(cause) }),
  });
}
