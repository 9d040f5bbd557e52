/** A container as an object, for scripts: the verbs of the command line in one process. */

import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime } from "../runtime/runtime.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { openBundle } from "../caller/bundle.ts";
import { checkConsole } from "../caller/console_socket.ts";
import { inCommand } from "../runtime/command.ts";
import { readCopy } from "../state/config_copy.ts";
import { checkpoint, checkRights } from "../container/checkpoint.ts";
import { createLocked } from "../container/create.ts";
import type { Attendant } from "../container/creation_parts.ts";
import { Restorer } from "../container/restorer.ts";
import { remove } from "../container/delete.ts";
import { type ContainerEvent, events, type EventsOptions, stats } from "../container/events.ts";
import { PARENT_REAPS } from "../init/how_it_ended.ts";
import { refuseExec, spawnIn } from "../container/exec.ts";
import { execProcess } from "../caller/exec_process.ts";
import { exitStatus } from "../caller/foreground.ts";
import { kill, openInit } from "../container/kill.ts";
import { withLock } from "../state/lock.ts";
import { pause, resume } from "../container/pause.ts";
import { ps } from "../container/ps.ts";
import { startLocked } from "../container/start.ts";
import { state, type StateDocument } from "../container/state.ts";
import { update, type UpdateOptions } from "../container/update.ts";
import type { Stats } from "../cgroup/stats/read.ts";
import type { ExecOptions, ExitStatus, WaitOptions } from "../caller/options.ts";
import type { LogOptions } from "../monitor/follow.ts";
import { isSupervised } from "../monitor/places.ts";
import type { Status } from "../state/status.ts";
import { type AttachOptions, closeStdin, reopenLog, resize } from "../supervise/attach.ts";
import { make } from "../supervise/create.ts";
import { execSupervised } from "../supervise/exec.ts";
import { inspectContainer, type Inspected } from "../supervise/list.ts";
import type { LogLine } from "../supervise/log_line.ts";
import { logs } from "../supervise/logs.ts";
import { restart } from "../supervise/restart.ts";
import { stop, type StopOptions } from "../supervise/stop.ts";
import { wait } from "../supervise/wait.ts";
import { AttachedStreams, attachStreams } from "./attached_streams.ts";
import type {
  ContainerCheckpointOptions,
  ContainerExecOptions,
  ContainerOptions,
  ContainerRestoreOptions,
  ContainerSettings,
  SupervisedExecSettings,
} from "./options.ts";
import { ContainedProcess, ContainerProcess } from "./process.ts";
import { Stdio } from "./stdio.ts";
import { SupervisedProcess } from "./supervised_process.ts";
import type { TerminalSize } from "./terminal.ts";

/**
 * A container, and its first process. `await using` deletes it, alive or not, at the end of the block.
 * Every method throws {@linkcode RuntsError}, whose message names the command and the cause; a wait that
 * a signal ends throws the reason of the signal. What only a monitor can do throws without one.
 */
export class Container extends ContainedProcess {
  readonly #runtime: LoadedRuntime;
  readonly #directory: StateDirectory;
  #pidfd: number;
  #ending: ExitStatus | undefined;
  /** Under way; the pidfd stays open until it is done. */
  #noting: Promise<void> | undefined;

  private constructor(
    runtime: LoadedRuntime,
    /** Its name below the state root. */
    readonly id: string,
    { pid, pidfd }: { readonly pid: number; readonly pidfd: number },
    stdio?: Stdio,
  ) {
    super(pid, stdio);
    this.#runtime = runtime;
    this.#directory = new StateDirectory(runtime, id);
    this.#pidfd = pidfd;
  }

  /** Makes a container; its program does not run before {@linkcode start}. */
  static create(options: ContainerOptions): Promise<Container> {
    const { runtime = options, id, signal, supervised } = options;
    const body = (unloaded: Runtime) =>
      supervised === undefined
        ? Container.#create(unloaded, options)
        : make(unloaded, options, (loaded, made) =>
          Promise.resolve(new Container(loaded, id, made)));
    return inCommand(runtime, "create", id, body, signal);
  }

  /** Makes a container out of an image of {@linkcode checkpoint}; its program runs, where it was. */
  static restore(options: ContainerRestoreOptions): Promise<Container> {
    const { runtime = options, id, signal, supervised } = options;
    const body = async (unloaded: Runtime) => {
      if (supervised === undefined) {
        checkRights(unloaded);
        return await Container.#create(unloaded, options, (stdio) => new Restorer(options, stdio));
      }
      const { makeRestored } = await import("../supervise/restore.ts");
      return await makeRestored(
        unloaded,
        options,
        (loaded, made) => Promise.resolve(new Container(loaded, id, made)),
      );
    };
    return inCommand(runtime, "restore", id, body, signal);
  }

  static async #create(
    unloaded: Runtime,
    options: ContainerOptions,
    by: (stdio: Stdio) => Attendant = (stdio) => stdio,
  ): Promise<Container> {
    const { stdin, stdout, stderr, ...others } = options;
    const bundle = await openBundle(unloaded, others);
    const { consoleSocket } = options;
    const terminal = bundle.spec.process?.terminal === true && consoleSocket === undefined;
    if (!terminal) checkConsole(bundle.spec, consoleSocket);
    const runtime = await load(unloaded);
    const stdio = new Stdio(runtime, { stdin, stdout, stderr }, terminal);
    const all = { ...others, ...stdio.targets };
    try {
      return await createLocked(runtime, all, bundle, by(stdio), async (created) => {
        await stdio.take();
        stdio.made();
        return new Container(runtime, options.id, created, stdio);
      });
    } catch (error) {
      stdio.fail();
      throw error;
    }
  }

  /**
   * A container that exists already; whoever made it, its init must be alive, unless it is supervised. A
   * descriptor for it is open until it is deleted. Its standard streams are those of whoever made it.
   */
  static open(id: string, settings: ContainerSettings = {}): Promise<Container> {
    return inCommand(settings.runtime ?? settings, "open", id, async (unloaded) => {
      const directory = new StateDirectory(unloaded, id);
      const { status } = inspect(directory);
      const runtime = await load(unloaded);
      const pidfd = openFor(runtime, directory, status);
      return new Container(runtime, id, { pid: status.pid, pidfd });
    });
  }

  /** Runs the program. Returns once it was executed (and is ready, with NOTIFY_SOCKET). */
  start({ signal }: WaitOptions = {}): Promise<void> {
    return inCommand(this.#runtime, "start", this.id, async () => {
      const body = () => startLocked(this.#runtime, this.#directory, signal && { signal });
      const started = await withLock(this.#runtime, this.#directory, body, signal);
      await started.poststart();
      await started.ready();
    }, signal);
  }

  /** What state it is in. */
  state(): Promise<StateDocument> {
    return state(this.#runtime, { id: this.id });
  }

  /**
   * Waits until init has ended. How is known to the process that made the container; in any other
   * it throws, unless the kernel tells (Linux 6.15), which it does once the parent has reaped init. Of a
   * supervised one it is always known; one that is started anew has not ended yet.
   */
  override async wait({ signal }: WaitOptions = {}): Promise<ExitStatus> {
    if (isSupervised(this.#directory)) {
      return exitStatus(await wait(this.#runtime, { id: this.id, ...(signal && { signal }) }));
    }
    return await inCommand(this.#runtime, "wait", this.id, async () => {
      if (this.#ending === undefined && this.#pidfd >= 0) {
        await this.#runtime.helper.awaitExit(this.#pidfd, { signal });
        await this.#noteEnding(PARENT_REAPS);
      }
      if (this.#ending !== undefined) return this.#ending;
      throw new RuntsError("the exit status is known only to the process that made the container");
    }, signal);
  }

  /**
   * Sends a signal: `TERM`, `SIGTERM`, 15, `RTMIN+3`; default the stop signal of its image, else SIGTERM.
   * With `all` it goes to every process of the container, not to init alone.
   */
  override kill(signal?: string | number, options: { readonly all?: boolean } = {}): Promise<void> {
    const chosen = signal === undefined ? {} : { signal };
    return kill(this.#runtime, { id: this.id, ...chosen, ...options });
  }

  /** Freezes all its processes; throws when it is paused already. */
  pause(options: WaitOptions = {}): Promise<void> {
    return pause(this.#runtime, { id: this.id, ...options });
  }

  /** Lets them go on. */
  resume(options: WaitOptions = {}): Promise<void> {
    return resume(this.#runtime, { id: this.id, ...options });
  }

  /** Changes limits; a refused value leaves the others as they were. */
  update(changes: Omit<UpdateOptions, "id">): Promise<void> {
    return update(this.#runtime, { id: this.id, ...changes });
  }

  /** What it uses now. */
  stats(): Promise<Stats> {
    return stats(this.#runtime, { id: this.id });
  }

  /** Statistics at every interval, and each lack of memory as it happens, until init has ended. */
  events(options: Omit<EventsOptions, "id"> = {}): AsyncGenerator<ContainerEvent> {
    return events(this.#runtime, { id: this.id, ...options });
  }

  /** Process ids, as the host sees them, of all its processes. */
  pids(): Promise<number[]> {
    return ps(this.#runtime, { id: this.id });
  }

  /** Starts one more process in it, and returns once the program was executed. */
  exec(args: readonly string[], options: ContainerExecOptions = {}): Promise<ContainerProcess> {
    const { stdin, stdout, stderr, terminal = false, ...others } = options;
    return inCommand(this.#runtime, "exec", this.id, async () => {
      const runtime = this.#runtime;
      const all: ExecOptions = { ...others, id: this.id, args, terminal: terminal !== false };
      const found = inspect(this.#directory);
      refuseExec(runtime, found, all);
      const spec = readCopy(this.#directory);
      const process = await execProcess(runtime, spec, all);
      const ours = process.terminal === true && all.consoleSocket === undefined;
      if (!ours) checkConsole({ ...spec, process }, all.consoleSocket);
      const size = typeof terminal === "object" ? terminal : ours;
      const stdio = new Stdio(runtime, { stdin, stdout, stderr }, ours && size);
      try {
        const request = { runtime, found, spec, process, attendant: stdio };
        const executed = await spawnIn({ ...request, options: { ...all, ...stdio.targets } });
        stdio.made();
        return new ContainerProcess(runtime, this.id, executed, stdio);
      } catch (error) {
        stdio.fail();
        throw error;
      }
    }, options.signal);
  }

  /** The stop signal, and KILL after a time; it is not started anew. */
  stop(options: Omit<StopOptions, "id"> = {}): Promise<void> {
    return stop(this.#runtime, { id: this.id, ...options });
  }

  /** Stops it, if it runs, and starts it anew with the configuration that it has; supervised. */
  restart(options: Omit<StopOptions, "id"> = {}): Promise<void> {
    return restart(this.#runtime, { id: this.id, ...options });
  }

  /** What it has written; supervised. */
  logs(options: LogOptions = {}): AsyncGenerator<LogLine, void> {
    return logs(this.#runtime, { id: this.id, ...options });
  }

  /** The streams of its program; disposing of them is the detach; supervised. */
  attach(options: Omit<AttachOptions, "id"> = {}): Promise<AttachedStreams> {
    return attachStreams(this.#runtime, { id: this.id, ...options });
  }

  /** Its program finds the end of its input; supervised. */
  closeStdin(): Promise<void> {
    return closeStdin(this.#runtime, { id: this.id });
  }

  /** Gives the terminal of its program a size; supervised, else there is `terminal`. */
  resize(size: TerminalSize): Promise<void> {
    return resize(this.#runtime, { id: this.id, ...size });
  }

  /** The files of its log are opened anew: somebody has renamed them; supervised. */
  reopenLog(): Promise<void> {
    return reopenLog(this.#runtime, { id: this.id });
  }

  /** All that is known of it and of its processes; supervised. */
  async inspect(): Promise<Inspected> {
    const inspected = await inspectContainer(this.#runtime, { id: this.id });
    if ("supervision" in inspected) return inspected;
    throw new RuntsError(`inspect ${quote(this.id)}: it has no monitor`);
  }

  /** Starts one more process, whose end the monitor notes; its program has been executed then. */
  async execSupervised(
    args: readonly string[],
    options: SupervisedExecSettings = {},
  ): Promise<SupervisedProcess> {
    const all = { ...options, id: this.id, args };
    const { name, pid, streams } = await execSupervised(this.#runtime, all);
    const of = { id: this.id, process: name };
    const kind = options.terminal ? "terminal" : "pipes";
    const attached = streams && new AttachedStreams(this.#runtime, of, streams, kind);
    return new SupervisedProcess(this.#runtime, of, pid, attached);
  }

  /**
   * Writes its processes to disk, from where {@linkcode restore} makes them again. It is deleted, unless it
   * is to be left running.
   */
  async checkpoint(options: ContainerCheckpointOptions = {}): Promise<void> {
    await checkpoint(this.#runtime, { id: this.id, ...options });
    if (!options.leaveRunning && !options.preDump) await this.#giveUp();
  }

  /** Removes it when it is stopped; with `force` in any state, and that it does not exist is no error. */
  async delete(options: { readonly force?: boolean } & WaitOptions = {}): Promise<void> {
    await remove(this.#runtime, { id: this.id, ...options });
    await this.#giveUp();
  }

  /** It is deleted. */
  async #giveUp(): Promise<void> {
    await this.#noteEnding(0);
    if (this.#pidfd < 0) return;
    this.#runtime.helper.close(this.#pidfd);
    this.#pidfd = -1;
  }

  /** Deletes it in whatever state it is, and gives up the streams that nobody reads or writes. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await this.delete({ force: true });
    await this.closeStreams();
  }

  /** Init has ended; `patience`: ms that a parent that is not us gets to reap it. */
  #noteEnding(patience: number): Promise<void> {
    // While it was waited for, it may have been deleted, and its pidfd closed.
    if (this.#ending !== undefined || this.#pidfd < 0) return Promise.resolve();
    const note = async () => {
      const child = { pid: this.pid, pidfd: this.#pidfd };
      const ending = await this.#runtime.body.reap(child) ??
        await this.#runtime.helper.exitStatus(this.#pidfd, patience);
      if (ending !== undefined) this.#ending = exitStatus(ending);
    };
    return this.#noting ??= note().finally(() => this.#noting = undefined);
  }
}

/** One whose end was noted may have ended. */
function openFor(runtime: LoadedRuntime, directory: StateDirectory, status: Status): number {
  try {
    return openInit(runtime, status);
  } catch (error) {
    if (isSupervised(directory)) return -1;
    throw error;
  }
}
