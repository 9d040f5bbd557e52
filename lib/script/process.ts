/** Processes in containers as objects: what `Deno.ChildProcess` is to `Deno.Command`. */

import { exitStatus } from "../caller/foreground.ts";
import type { ExitStatus, WaitOptions } from "../caller/options.ts";
import { ESRCH } from "../base/errno.ts";
import { errnoOf, RuntsError } from "../base/errors.ts";
import { inCommand } from "../runtime/command.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { parseSignal, SIGKILL, SIGTERM } from "../spec/values/signals.ts";
import { type ProcessReadable, readAll } from "./byte_streams.ts";
import type { Stdio, StreamName } from "./stdio.ts";
import type { Terminal } from "./terminal.ts";

/** How a process ended, and what it had written; nothing of a stream that is not piped. */
export interface ProcessOutput extends ExitStatus {
  /** All of its standard output, or of its terminal. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** All of its standard error output. */
  readonly stderr: Uint8Array<ArrayBuffer>;
}

/**
 * A process that runs in a container, as `Deno.ChildProcess` is one: its standard streams, how it ends, and
 * signals. A piped stream is there until it was read to its end or cancelled, also when the process has
 * ended; what nobody reads is cancelled when the process is disposed of.
 */
export abstract class ContainedProcess implements AsyncDisposable {
  readonly #stdio: Stdio | undefined;
  #status: Promise<ExitStatus> | undefined;

  /** @internal */
  constructor(
    /** Process id, as the host sees it. */
    readonly pid: number,
    stdio: Stdio | undefined,
  ) {
    this.#stdio = stdio;
  }

  /** Its standard input. Throws unless it was made with `stdin: "piped"`. */
  get stdin(): WritableStream<Uint8Array> {
    return this.#stdio?.stdin ?? notPiped("stdin");
  }

  /** Its standard output. Throws unless it was made with `stdout: "piped"`. */
  get stdout(): ProcessReadable {
    return this.#stdio?.stdout ?? notPiped("stdout");
  }

  /** Its standard error output. Throws unless it was made with `stderr: "piped"`. */
  get stderr(): ProcessReadable {
    return this.#stdio?.stderr ?? notPiped("stderr");
  }

  /** Its terminal. Throws unless it has one, and was made by this object. */
  get terminal(): Terminal {
    const terminal = this.#stdio?.terminal;
    if (terminal !== undefined) return terminal;
    throw new RuntsError("the process has no terminal here");
  }

  /** How it ended, once it has. */
  get status(): Promise<ExitStatus> {
    return this.#status ??= this.wait();
  }

  /** Waits until it has ended: as `status`, but the wait can be given up. */
  abstract wait(options?: WaitOptions): Promise<ExitStatus>;

  /** Sends a signal: `TERM`, `SIGTERM`, 15, `RTMIN+3`. */
  abstract kill(signal?: string | number): Promise<void>;

  /** Ends it, and leaves nothing behind. */
  abstract [Symbol.asyncDispose](): Promise<void>;

  /**
   * Reads what it writes until it has ended. An aborted signal throws its reason, and cancels the streams;
   * the process goes on.
   */
  async output({ signal }: WaitOptions = {}): Promise<ProcessOutput> {
    const { stdout, stderr, terminal } = this.#stdio ?? {};
    if (!stdout && !stderr && !terminal) notPiped("stdout");
    const read = (stream: ProcessReadable | undefined) =>
      stream === undefined ? new Uint8Array() : readAll(stream, signal);
    const [out, err, status] = await Promise.all([
      read(stdout ?? terminal?.readable),
      read(stderr),
      this.wait(signal && { signal }),
    ]);
    return { ...status, stdout: out, stderr: err };
  }

  /**
   * Gives up the streams that nobody reads or writes.
   * @internal
   */
  protected async closeStreams(): Promise<void> {
    await this.#stdio?.cancel();
  }
}

function notPiped(name: StreamName): never {
  throw new RuntsError(`${name} is not piped`, { hint: `make the process with ${name}: "piped"` });
}

/**
 * A process that {@linkcode Container.exec} started. It is a child of the script, which has a descriptor
 * for it until it was waited for: by `status`, `wait`, `output` or by disposing of it.
 */
export class ContainerProcess extends ContainedProcess {
  readonly #runtime: LoadedRuntime;
  readonly #id: string;
  #pidfd: number;
  #ending: Promise<ExitStatus> | undefined;

  /**
   * Takes over the pidfd.
   * @internal
   */
  constructor(
    runtime: LoadedRuntime,
    id: string,
    { pid, pidfd }: { readonly pid: number; readonly pidfd: number },
    stdio: Stdio,
  ) {
    super(pid, stdio);
    this.#runtime = runtime;
    this.#id = id;
    this.#pidfd = pidfd;
  }

  /** Waits until it has ended. */
  override async wait({ signal }: WaitOptions = {}): Promise<ExitStatus> {
    if (this.#ending === undefined) {
      await this.#runtime.helper.awaitExit(this.#pidfd, { signal });
    }
    // Somebody else may have waited, too.
    return await (this.#ending ??= this.#reap());
  }

  /** Sends a signal: `TERM`, `SIGTERM`, 15; default SIGTERM. Throws when the process has ended. */
  override kill(signal: string | number = SIGTERM): Promise<void> {
    return inCommand(this.#runtime, "kill", this.#id, () => {
      const number = parseSignal(String(signal));
      try {
        if (this.#pidfd >= 0) return this.#runtime.helper.sendSignal(this.#pidfd, number);
      } catch (error) {
        if (errnoOf(error) !== ESRCH) throw error;
      }
      throw new RuntsError(`process ${this.pid} has ended`);
    });
  }

  /** Kills it if it runs, and waits until it has ended. */
  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ending === undefined) {
      await this.kill(SIGKILL).catch(() => {}); // it may have ended
      await this.wait();
    }
    await this.closeStreams();
  }

  async #reap(): Promise<ExitStatus> {
    const pidfd = this.#pidfd;
    const ending = await this.#runtime.body.reap({ pid: this.pid, pidfd });
    this.#pidfd = -1;
    this.#runtime.helper.close(pidfd);
    return exitStatus(ending);
  }
}
