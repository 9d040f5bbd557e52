/** Processes that a monitor looks after. */

import { RuntsError } from "../base/errors.ts";
import { exitStatus } from "../caller/foreground.ts";
import type { ExitStatus, WaitOptions } from "../caller/options.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { type AttachOptions, closeStdin, resize } from "../supervise/attach.ts";
import { wait } from "../supervise/wait.ts";
import { type AttachedStreams, attachStreams } from "./attached_streams.ts";
import type { TerminalSize } from "./terminal.ts";

/** A process that {@linkcode Container.execSupervised} started. It outlives the script. */
export class SupervisedProcess {
  readonly #runtime: LoadedRuntime;
  readonly #of: { readonly id: string; readonly process: string };
  readonly #streams: AttachedStreams | undefined;
  #status: Promise<ExitStatus> | undefined;

  /** @internal */
  constructor(
    runtime: LoadedRuntime,
    of: { readonly id: string; readonly process: string },
    /** Process id, as the host sees it. */
    readonly pid: number,
    streams: AttachedStreams | undefined,
  ) {
    this.#runtime = runtime;
    this.#of = of;
    this.#streams = streams;
  }

  /** Its name among the processes of the container. */
  get name(): string {
    return this.#of.process;
  }

  /** All of its streams, from the beginning. Throws unless it was made with `attach: true`. */
  get streams(): AttachedStreams {
    if (this.#streams !== undefined) return this.#streams;
    throw new RuntsError("the streams are not attached", {
      hint: "make the process with attach: true, or use attach()",
    });
  }

  /** How it ended, once it has. */
  get status(): Promise<ExitStatus> {
    return this.#status ??= this.wait();
  }

  /** Waits until it has ended: as `status`, but the wait can be given up. */
  async wait(options: WaitOptions = {}): Promise<ExitStatus> {
    return exitStatus(await wait(this.#runtime, { ...this.#of, ...options }));
  }

  /** Its streams; disposing of them is the detach. */
  attach(options: Omit<AttachOptions, "id" | "process"> = {}): Promise<AttachedStreams> {
    return attachStreams(this.#runtime, { ...this.#of, ...options });
  }

  /** It finds the end of its input. */
  closeStdin(): Promise<void> {
    return closeStdin(this.#runtime, this.#of);
  }

  /** Gives its terminal a size. */
  resize(size: TerminalSize): Promise<void> {
    return resize(this.#runtime, { ...this.#of, ...size });
  }
}
