/** The class of the library, with what a monitor makes possible. */

import { RuntsError } from "../base/errors.ts";
import type { ExitStatus, WaitOptions } from "../caller/options.ts";
import {
  Container as Plain,
  type ContainerExecOptions,
  type ContainerOptions as PlainOptions,
  type ContainerSettings,
} from "../container/container.ts";
import { openInit } from "../container/kill.ts";
import type { LogOptions } from "../monitor/follow.ts";
import { isSupervised } from "../monitor/places.ts";
import type { Attachment } from "../body/attachment.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { attach, type AttachOptions, closeStdin, reopenLog, resize } from "./attach.ts";
import { make } from "./create.ts";
import { execSupervised } from "./exec.ts";
import { inspectContainer, type Inspected } from "./list.ts";
import type { LogLine } from "./log_line.ts";
import { logs } from "./logs.ts";
import type { SupervisionOptions } from "./options.ts";
import { restart } from "./restart.ts";
import { stop, type StopOptions } from "./stop.ts";
import { wait } from "./wait.ts";

/** What {@linkcode Container.create} takes. */
export type ContainerOptions = PlainOptions & {
  /** A monitor looks after it: it outlives the script, and how it ends is kept. */
  readonly supervised?: SupervisionOptions;
};

/** A process that {@linkcode Container.execSupervised} started. It outlives the script. */
export class SupervisedProcess {
  readonly #runtime: LoadedRuntime;
  readonly #id: string;

  /** @internal */
  constructor(
    runtime: LoadedRuntime,
    id: string,
    /** Its name among the processes of the container. */
    readonly name: string,
    /** Process id, as the host sees it. */
    readonly pid: number,
  ) {
    this.#runtime = runtime;
    this.#id = id;
  }

  /** Waits until it has ended. */
  async wait(options: WaitOptions = {}): Promise<ExitStatus> {
    return statusOf(await wait(this.#runtime, { ...this.#named, ...options }));
  }

  /** Its streams; disposing of them is the detach. */
  attach(options: Omit<AttachOptions, "id" | "process"> = {}): Promise<Attachment> {
    return attach(this.#runtime, { ...this.#named, ...options });
  }

  /** It finds the end of its input. */
  closeStdin(): Promise<void> {
    return closeStdin(this.#runtime, this.#named);
  }

  /** Gives its terminal a size, in characters. */
  resize(columns: number, rows: number): Promise<void> {
    return resize(this.#runtime, { ...this.#named, columns, rows });
  }

  get #named(): { id: string; process: string } {
    return { id: this.#id, process: this.name };
  }
}

/** What {@linkcode Container.execSupervised} takes. */
export type SupervisedExecSettings = Omit<ContainerExecOptions, "consoleSocket"> & {
  /** Its name among the processes of the container; default `exec-N`. */
  readonly name?: string;
  /** Whether its input stays open for whoever attaches. */
  readonly interactive?: boolean;
};

/**
 * A container. `await using` deletes it, alive or not, at the end of the block.
 * Every method throws {@linkcode RuntsError}, whose message names the command and the cause; a wait that
 * a signal ends throws the reason of the signal. What only a monitor can do throws without one.
 */
export class Container extends Plain {
  /** Makes a container from a bundle; its program does not run before {@linkcode start}. */
  static override create(options: ContainerOptions): Promise<Container> {
    const { supervised } = options;
    if (supervised === undefined) return super.create(options) as Promise<Container>;
    return inCommand(
      options.runtime ?? options,
      "create",
      options.id,
      (unloaded) =>
        make(
          unloaded,
          { ...options, supervised },
          (runtime, { pid, pidfd }) =>
            Promise.resolve(new Container(runtime, options.id, pid, pidfd)),
        ),
    );
  }

  /** A container that exists already. Without a monitor its init must be alive. */
  static override open(id: string, settings: ContainerSettings = {}): Promise<Container> {
    return inCommand(settings.runtime ?? settings, "open", id, async (unloaded) => {
      const directory = new StateDirectory(unloaded, id);
      const { status } = inspect(directory);
      const runtime = await load(unloaded);
      const pidfd = openFor(runtime, directory, status);
      return new Container(runtime, id, status.pid, pidfd);
    });
  }

  /** Waits until it has ended, for good: one that is started anew has not ended yet. */
  override async wait(options: WaitOptions = {}): Promise<ExitStatus> {
    if (!this.#supervised) return await super.wait(options);
    return statusOf(await wait(this.runtime, { id: this.id, ...options }));
  }

  /** The stop signal, and KILL after a time; it is not started anew. */
  stop(options: Omit<StopOptions, "id"> = {}): Promise<void> {
    return stop(this.runtime, { id: this.id, ...options });
  }

  /** Stops it, if it runs, and starts it anew with the configuration that it has. */
  restart(options: Omit<StopOptions, "id"> = {}): Promise<void> {
    return restart(this.runtime, { id: this.id, ...options });
  }

  /** What it has written. */
  logs(options: LogOptions = {}): AsyncGenerator<LogLine, void> {
    return logs(this.runtime, { id: this.id, ...options });
  }

  /** The streams of its program; disposing of them is the detach. */
  attach(options: Omit<AttachOptions, "id"> = {}): Promise<Attachment> {
    return attach(this.runtime, { id: this.id, ...options });
  }

  /** Its program finds the end of its input. */
  closeStdin(): Promise<void> {
    return closeStdin(this.runtime, { id: this.id });
  }

  /** Gives the terminal of its program a size, in characters. */
  resize(columns: number, rows: number): Promise<void> {
    return resize(this.runtime, { id: this.id, columns, rows });
  }

  /** The files of its log are opened anew: somebody has renamed them. */
  reopenLog(): Promise<void> {
    return reopenLog(this.runtime, { id: this.id });
  }

  /** All that is known of it and of its processes. */
  async inspect(): Promise<Inspected> {
    const inspected = await inspectContainer(this.runtime, { id: this.id });
    if ("supervision" in inspected) return inspected;
    throw new RuntsError(`inspect ${JSON.stringify(this.id)}: it has no monitor`);
  }

  /** Starts one more process, whose end the monitor notes; its program has been executed then. */
  async execSupervised(
    args: readonly string[],
    options: SupervisedExecSettings = {},
  ): Promise<SupervisedProcess> {
    const all = { ...options, id: this.id, args };
    const { name, pid } = await execSupervised(this.runtime, all);
    return new SupervisedProcess(this.runtime, this.id, name, pid);
  }

  get #supervised(): boolean {
    return isSupervised(new StateDirectory(this.runtime, this.id));
  }
}

function statusOf({ code, signal }: ExitStatus): ExitStatus {
  return { code, signal };
}

/** One whose end was noted may have ended. */
function openFor(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  status: Parameters<typeof openInit>[1],
): number {
  try {
    return openInit(runtime, status);
  } catch (error) {
    if (isSupervised(directory)) return -1;
    throw error;
  }
}
