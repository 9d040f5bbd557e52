/** Processes that a monitor looks after. */

import type { Attachment } from "../body/attachment.ts";
import { exitStatus } from "../caller/foreground.ts";
import type { ExitStatus, WaitOptions } from "../caller/options.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { attach, type AttachOptions, closeStdin, resize } from "../supervise/attach.ts";
import { wait } from "../supervise/wait.ts";
import type { TerminalSize } from "./terminal.ts";

/** A process that {@linkcode Container.execSupervised} started. It outlives the script. */
export class SupervisedProcess {
  readonly #runtime: LoadedRuntime;
  readonly #id: string;
  #status: Promise<ExitStatus> | undefined;

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

  /** How it ended, once it has. */
  get status(): Promise<ExitStatus> {
    return this.#status ??= this.wait();
  }

  /** Waits until it has ended: as `status`, but the wait can be given up. */
  async wait(options: WaitOptions = {}): Promise<ExitStatus> {
    return exitStatus(await wait(this.#runtime, { ...this.#named, ...options }));
  }

  /** Its streams; disposing of them is the detach. */
  attach(options: Omit<AttachOptions, "id" | "process"> = {}): Promise<Attachment> {
    return attach(this.#runtime, { ...this.#named, ...options });
  }

  /** It finds the end of its input. */
  closeStdin(): Promise<void> {
    return closeStdin(this.#runtime, this.#named);
  }

  /** Gives its terminal a size. */
  resize(size: TerminalSize): Promise<void> {
    return resize(this.#runtime, { ...this.#named, ...size });
  }

  get #named(): { id: string; process: string } {
    return { id: this.#id, process: this.name };
  }
}
