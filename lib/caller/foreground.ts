/** The foreground of `run` and `exec`: the caller's terminal and signals belong to one process until it ends. */

import type { ProcessEnding } from "../../ffi/process.ts";
import type { Child, Foreground } from "../body/body.ts";
import { O_APPEND, O_CREAT, O_WRONLY } from "../base/linux.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { SIGKILL, signalName } from "../spec/values/signals.ts";
import type { ExitStatus } from "./options.ts";
import { TerminalMaster } from "./terminal_master.ts";

/** What a process in the foreground is given. */
interface ForegroundOptions {
  /** It has a terminal, which is joined to the caller's. */
  readonly terminal: boolean;
  /** Meanwhile the body adopts orphans, and reaps all its children. */
  readonly adoptOrphans: boolean;
  /** A file that what the terminal shows is added to. */
  readonly log?: string;
}

/** A process in the foreground, from before it is spawned until after it has ended. */
export class Attachment {
  readonly #runtime: LoadedRuntime;
  readonly #adoptOrphans: boolean;
  readonly #terminal: TerminalMaster | undefined;
  #foreground: Foreground | undefined;
  #master = -1;
  readonly #log: number;

  private constructor(runtime: LoadedRuntime, { terminal, adoptOrphans, log }: ForegroundOptions) {
    this.#runtime = runtime;
    const flags = O_WRONLY | O_CREAT | O_APPEND;
    this.#log = log === undefined || !terminal
      ? -1
      : runtime.helper.open(log, flags, runtime.caller.masked(0o600));
    this.#adoptOrphans = adoptOrphans;
    this.#terminal = terminal ? new TerminalMaster(runtime.helper) : undefined;
  }

  /** Before init is spawned; {@linkcode end} has to follow. */
  static async open(runtime: LoadedRuntime, options: ForegroundOptions): Promise<Attachment> {
    if (options.adoptOrphans) await runtime.body.adoptOrphans();
    return new Attachment(runtime, options);
  }

  /** The socket for init, with a terminal. */
  get console(): number | undefined {
    return this.#terminal?.theirs;
  }

  /** Init is at work; meanwhile signals are kept. */
  begin(): void {
    this.#foreground = this.#runtime.body.beginForeground();
  }

  /** Takes the terminal's master from init, before the program writes to it. */
  async take(): Promise<void> {
    if (this.#terminal === undefined || this.#master >= 0) return;
    this.#master = await this.#terminal.take();
    this.#runtime.helper.clearOnlcr(this.#master); // the caller's terminal does that, and a file wants none
  }

  /** Joins the caller's terminal to that of the process. */
  async join(): Promise<void> {
    await this.take();
    if (this.#master >= 0) await this.#foreground?.connect(this.#master, this.#log);
  }

  /** The process runs: from now on it gets the caller's signals. */
  forwardTo(pidfd: number): void {
    this.#foreground?.forwardTo(pidfd);
  }

  /** Waits until it has ended, and takes note of how. An aborted signal kills it. */
  async wait(child: Child, signal?: AbortSignal): Promise<ExitStatus> {
    const { helper, body, caller } = this.#runtime;
    const kill = () => {
      if (caller.hasEnded?.()) return; // as a command that is killed leaves it alone
      try {
        helper.sendSignal(child.pidfd, SIGKILL);
      } catch {
        // it has ended
      }
    };
    signal?.addEventListener("abort", kill);
    try {
      if (signal?.aborted) kill();
      return exitStatus(await body.awaitEnd(child, this.#adoptOrphans));
    } finally {
      signal?.removeEventListener("abort", kill);
    }
  }

  /** Copies what the terminal still holds; the caller has it and its signals for itself again. */
  async end(): Promise<void> {
    await this.#foreground?.end();
    for (const fd of [this.#master, this.#log]) {
      if (fd >= 0) this.#runtime.helper.close(fd);
    }
    this.#terminal?.close();
  }
}

/** As a shell has it: 128 and the signal for a process that one ended; 255 where it is not known. */
export function exitStatus(
  { code, signal }: Pick<ProcessEnding, "code" | "signal"> = { code: 255, signal: 0 },
): ExitStatus {
  if (signal !== 0) {
    return { success: false, code: 128 + signal, signal: `SIG${signalName(signal)}` };
  }
  return { success: code === 0, code, signal: null };
}
