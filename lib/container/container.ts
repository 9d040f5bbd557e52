/** A container as an object, for scripts: the verbs of the command line in one process. */

import { load } from "../runtime/load.ts";
import { type LoadedRuntime, type Runtime, type RuntimeSettings } from "../runtime/runtime.ts";
import { RuntsError } from "../base/errors.ts";
import { parseSignal } from "../spec/values/signals.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { openBundle } from "../caller/bundle.ts";
import { checkConsole } from "../caller/console_socket.ts";
import { inCommand } from "../runtime/command.ts";
import { readCopy } from "../state/config_copy.ts";
import { createLocked } from "./create.ts";
import { remove } from "./delete.ts";
import { PARENT_REAPS } from "../init/how_it_ended.ts";
import { refuseExec, spawnIn } from "./exec.ts";
import { execProcess } from "../caller/exec_process.ts";
import { exitStatus } from "../caller/foreground.ts";
import { kill, openInit } from "./kill.ts";
import { withLock } from "../state/lock.ts";
import { pause, resume } from "./pause.ts";
import { startLocked } from "./start.ts";
import { state, type StateDocument } from "./state.ts";
import type { CreateOptions, ExecOptions, ExitStatus, WaitOptions } from "../caller/options.ts";

/** Where and how a script's containers are kept: settings, or the runtime that has them. */
export type ContainerSettings = RuntimeSettings & { readonly runtime?: Runtime };

/** What {@linkcode Container.create} takes. */
export type ContainerOptions = CreateOptions & ContainerSettings;

/** What {@linkcode Container.exec} takes, which neither waits nor tells anybody else of the process. */
export type ContainerExecOptions = Omit<
  ExecOptions,
  "id" | "args" | "detach" | "pidFile" | "pidfdSocket" | "adoptOrphans"
>;

/**
 * A process that {@linkcode Container.exec} started. It is a child of the script, and a descriptor
 * is open for it, until {@linkcode wait} has returned: wait for each.
 */
export class ContainerProcess {
  readonly #runtime: LoadedRuntime;
  readonly #pidfd: number;
  #ending: Promise<ExitStatus> | undefined;

  /**
   * Takes over the pidfd.
   * @internal
   */
  constructor(
    runtime: LoadedRuntime,
    /** Process id, as the host sees it. */
    readonly pid: number,
    pidfd: number,
  ) {
    this.#runtime = runtime;
    this.#pidfd = pidfd;
  }

  /** Waits until it has ended. */
  async wait({ signal }: WaitOptions = {}): Promise<ExitStatus> {
    if (this.#ending === undefined) {
      await this.#runtime.helper.awaitExit(this.#pidfd, { signal });
    }
    // Somebody else may have waited, too.
    return await (this.#ending ??= this.#reap());
  }

  async #reap(): Promise<ExitStatus> {
    const ending = await this.#runtime.body.reap({ pid: this.pid, pidfd: this.#pidfd });
    this.#runtime.helper.close(this.#pidfd);
    return exitStatus(ending);
  }
}

/**
 * A container. `await using` deletes it, alive or not, at the end of the block.
 * Every method throws {@linkcode RuntsError}, whose message names the command and the cause; a wait that
 * a signal ends throws the reason of the signal.
 */
export class Container implements AsyncDisposable {
  readonly #directory: StateDirectory;
  #pidfd: number;
  #ending: ExitStatus | undefined;
  /** Under way; the pidfd stays open until it is done. */
  #noting: Promise<void> | undefined;

  /** @internal */
  protected constructor(
    /** @internal */
    protected readonly runtime: LoadedRuntime,
    /** Its name below the state root. */
    readonly id: string,
    /** Process id of init, as the host sees it. */
    readonly pid: number,
    pidfd: number,
  ) {
    this.#directory = new StateDirectory(runtime, id);
    this.#pidfd = pidfd;
  }

  /** Makes a container from a bundle; its program does not run before {@linkcode start}. */
  static create(options: ContainerOptions): Promise<Container> {
    return inCommand(options.runtime ?? options, "create", options.id, async (unloaded) => {
      const bundle = await openBundle(unloaded, options);
      checkConsole(bundle.spec, options.consoleSocket);
      const runtime = await load(unloaded);
      return await createLocked(
        runtime,
        options,
        bundle,
        undefined,
        ({ pid, pidfd }) => Promise.resolve(new this(runtime, options.id, pid, pidfd)),
      );
    });
  }

  /**
   * A container that exists already; whoever made it, its init must be alive. A descriptor for it is
   * open until it is deleted.
   */
  static open(id: string, settings: ContainerSettings = {}): Promise<Container> {
    return inCommand(settings.runtime ?? settings, "open", id, async (unloaded) => {
      const { status } = inspect(new StateDirectory(unloaded, id));
      const runtime = await load(unloaded);
      return new this(runtime, id, status.pid, openInit(runtime, status));
    });
  }

  /** Runs the program. Returns once it was executed (and is ready, with NOTIFY_SOCKET). */
  start({ signal }: WaitOptions = {}): Promise<void> {
    return inCommand(this.runtime, "start", this.id, async () => {
      const body = () => startLocked(this.runtime, this.#directory);
      const started = await withLock(this.runtime, this.#directory, body, signal);
      await started.poststart();
      await started.ready();
    }, signal);
  }

  /** What state it is in. */
  state(): Promise<StateDocument> {
    return state(this.runtime, { id: this.id });
  }

  /**
   * Waits until init has ended. How is known to the process that made the container; in any other
   * it throws, unless the kernel tells (Linux 6.15), which it does once the parent has reaped init.
   */
  wait({ signal }: WaitOptions = {}): Promise<ExitStatus> {
    return inCommand(this.runtime, "wait", this.id, async () => {
      if (this.#ending === undefined && this.#pidfd >= 0) {
        await this.runtime.helper.awaitExit(this.#pidfd, { signal });
        await this.#noteEnding(PARENT_REAPS);
      }
      if (this.#ending !== undefined) return this.#ending;
      throw new RuntsError("the exit status is known only to the process that made the container");
    }, signal);
  }

  /** Sends a signal: `TERM`, `SIGTERM`, 15; default the stop signal of its image, else SIGTERM. */
  kill(signal?: string | number, options: { all?: boolean } = {}): Promise<void> {
    return inCommand(this.runtime, "kill", this.id, () => {
      const chosen = signal !== undefined && { signal: parseSignal(String(signal)) };
      return kill(this.runtime, { id: this.id, ...chosen, ...options });
    });
  }

  /** Freezes all its processes; throws when it is paused already. */
  pause(options: WaitOptions = {}): Promise<void> {
    return pause(this.runtime, { id: this.id, ...options });
  }

  /** Lets them go on. */
  resume(options: WaitOptions = {}): Promise<void> {
    return resume(this.runtime, { id: this.id, ...options });
  }

  /** Starts one more process in it, and returns once the program was executed. */
  exec(args: readonly string[], options: ContainerExecOptions = {}): Promise<ContainerProcess> {
    return inCommand(this.runtime, "exec", this.id, async () => {
      const all: ExecOptions = { ...options, id: this.id, args };
      const found = inspect(this.#directory);
      refuseExec(this.runtime, found, all);
      const spec = readCopy(this.#directory);
      const process = await execProcess(this.runtime, spec, all);
      checkConsole({ ...spec, process }, all.consoleSocket);
      const executed = await spawnIn({
        runtime: this.runtime,
        options: all,
        found,
        spec,
        process,
      });
      return new ContainerProcess(this.runtime, executed.pid, executed.pidfd);
    });
  }

  /** Removes it when it is stopped; with `force` in any state, and that it does not exist is no error. */
  async delete(options: { force?: boolean } & WaitOptions = {}): Promise<void> {
    await remove(this.runtime, { id: this.id, ...options });
    await this.#noteEnding(0);
    if (this.#pidfd < 0) return;
    this.runtime.helper.close(this.#pidfd);
    this.#pidfd = -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.delete({ force: true });
  }

  /** Init has ended; `patience`: ms that a parent that is not us gets to reap it. */
  #noteEnding(patience: number): Promise<void> {
    // While it was waited for, it may have been deleted, and its pidfd closed.
    if (this.#ending !== undefined || this.#pidfd < 0) return Promise.resolve();
    const note = async () => {
      const child = { pid: this.pid, pidfd: this.#pidfd };
      const ending = await this.runtime.body.reap(child) ??
        await this.runtime.helper.exitStatus(this.#pidfd, patience);
      if (ending !== undefined) this.#ending = exitStatus(ending);
    };
    return this.#noting ??= note().finally(() => this.#noting = undefined);
  }
}
