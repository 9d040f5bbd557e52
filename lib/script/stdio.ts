/** The standard streams of a process that a script makes. */

import { type StreamCalls, streamCalls } from "../../ffi/streams.ts";
import { RuntsError } from "../base/errors.ts";
import type { StreamTarget, StreamTargets } from "../caller/options.ts";
import { TerminalMaster } from "../caller/terminal_master.ts";
import type { ExecAttendant } from "../container/exec.ts";
import type { LoadedRuntime, OwnHelper } from "../runtime/runtime.ts";
import { type ProcessReadable, readableOf, writableOf } from "./byte_streams.ts";
import { Terminal, type TerminalSize } from "./terminal.ts";

/**
 * Where a standard stream of a process leads: to that of the script, to /dev/null, to a stream that the
 * script reads or writes, or to an open file descriptor of the script, which stays open.
 */
export type StreamOption = StreamTarget | "piped";

/** The standard streams of a process, as `Deno.Command` takes them. */
export interface StreamOptions {
  /** Default `inherit`, as of the others. */
  readonly stdin?: StreamOption;
  /** `piped`: the property of that name is a stream. */
  readonly stdout?: StreamOption;
  /** As `stdout`. */
  readonly stderr?: StreamOption;
}

type Chosen = { readonly [K in keyof StreamOptions]: StreamOptions[K] | undefined };

/** Names of standard streams, in the order of their numbers. */
const NAMES = ["stdin", "stdout", "stderr"] as const;
export type StreamName = (typeof NAMES)[number];

/** Bytes that a pipe is to hold: more than by default, so that fewer turns are needed. */
const PIPE = 256 * 1024;

/** The streams of a process: from before it is made. */
export class Stdio implements ExecAttendant {
  readonly #helper: OwnHelper;
  readonly #targets: Partial<Record<StreamName, StreamTarget>> = {};
  /** The other ends, which are for the process alone. */
  readonly #theirs: number[] = [];
  /** Those that have been opened for the script: what has to be done when there is no process. */
  readonly #ours: (() => void)[] = [];
  readonly #size: TerminalSize | undefined;
  #master: TerminalMaster | undefined;
  stdin: WritableStream<Uint8Array> | undefined;
  stdout: ProcessReadable | undefined;
  stderr: ProcessReadable | undefined;
  terminal: Terminal | undefined;

  /** @param terminal the process gets one; its size, if that is known */
  constructor(
    { helper }: LoadedRuntime,
    options: Chosen,
    terminal: boolean | TerminalSize,
  ) {
    this.#helper = helper;
    this.#size = typeof terminal === "object" ? terminal : undefined;
    refuseBoth(options, terminal !== false);
    try {
      for (const name of NAMES) {
        const option = options[name];
        this.#targets[name] = option === "piped" ? this.#pipe(name) : option ?? "inherit";
      }
      if (terminal !== false) this.#master = new TerminalMaster(helper);
    } catch (error) {
      this.fail();
      throw error;
    }
  }

  /** What the process is made with. */
  get targets(): StreamTargets {
    return this.#targets;
  }

  /** The socket for init, with a terminal. */
  get console(): number | undefined {
    return this.#master?.theirs;
  }

  /** Takes the terminal from init; it has its size before the program runs. */
  async take(): Promise<void> {
    if (this.#master === undefined || this.terminal !== undefined) return;
    const terminal = new Terminal(this.#helper, await this.#master.take());
    this.terminal = terminal;
    this.#ours.push(() => terminal.readable.cancel());
    if (this.#size !== undefined) await terminal.resize(this.#size);
  }

  /** The process is there, with its ends. */
  made(): void {
    for (const fd of this.#theirs.splice(0)) this.#helper.close(fd);
    this.#master?.close();
    this.#master = undefined;
  }

  /** There is no process. */
  fail(): void {
    this.made();
    for (const close of this.#ours.splice(0)) close();
  }

  /** Gives up what nobody reads or writes. */
  async cancel(): Promise<void> {
    const { stdin, stdout, stderr, terminal } = this;
    for (const one of [stdout, stderr, terminal?.readable]) {
      if (one && !one.locked) await one.cancel();
    }
    // One that has failed is closed already.
    if (stdin && !stdin.locked) await stdin.abort().catch(() => {});
  }

  /** Makes a pipe; gives the end for the process. */
  #pipe(name: StreamName): number {
    const [reading, writing] = this.#helper.pipe();
    const [theirs, ours] = name === "stdin" ? [reading, writing] : [writing, reading];
    const calls: StreamCalls = streamCalls();
    this.#theirs.push(theirs);
    const release = () => this.#helper.close(ours);
    const source = { fd: ours, calls, helper: this.#helper, release };
    if (name === "stdin") {
      const stream = this.stdin = writableOf(source);
      this.#ours.push(() => stream.abort());
    } else {
      const stream = this[name] = readableOf(source);
      this.#ours.push(() => stream.cancel());
    }
    calls.open(ours, PIPE);
    return theirs;
  }
}

function refuseBoth(options: Chosen, terminal: boolean): void {
  const name = NAMES.find((one) => terminal && options[one] !== undefined);
  if (name === undefined) return;
  throw new RuntsError(`${name} is chosen, but the process has a terminal`, {
    hint: "its streams are that of the terminal",
  });
}
