/** The streams of a program that a monitor holds, as those of the web. */

import type { Attachment, Output } from "../body/attachment.ts";
import { RuntsError } from "../base/errors.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { INIT } from "../state/process_record.ts";
import { attach, type AttachOptions, closeStdin, resize } from "../supervise/attach.ts";
import { standingNow } from "../supervise/wait.ts";
import type { ProcessReadable } from "./byte_streams.ts";
import { SplitOutput } from "./split_output.ts";
import { END_OF_INPUT, type TerminalSize } from "./terminal.ts";

/** Whose they are. */
interface Of {
  readonly id: string;
  readonly process?: string;
}

/**
 * The streams of a program, joined. It does not wait for whoever is attached: what is not read in time is
 * lost to the reader, not to the log. Its disposal is a detach, and the program goes on; the streams that
 * are read end then, as when the program does.
 */
export class AttachedStreams implements Disposable {
  readonly #runtime: LoadedRuntime;
  readonly #of: Of;
  readonly #attachment: Attachment;
  readonly #packets: AsyncGenerator<Output, void>;
  readonly #split: SplitOutput;
  readonly #stdin: WritableStream<Uint8Array> | undefined;

  /**
   * Takes over the attachment.
   *
   * @internal
   * @param kind whether the program has a terminal; undefined: there is to be no input
   */
  constructor(
    runtime: LoadedRuntime,
    of: Of,
    attachment: Attachment,
    kind: "terminal" | "pipes" | undefined,
  ) {
    this.#runtime = runtime;
    this.#of = of;
    this.#attachment = attachment;
    this.#packets = attachment.output();
    this.#split = new SplitOutput(this.#packets);
    if (kind !== undefined) this.#stdin = this.#input(kind);
  }

  /**
   * Its input; a write waits while the program takes none. Closing it is the end of the input, which a
   * program on a terminal gets by Ctrl-D; aborting it is none.
   */
  get stdin(): WritableStream<Uint8Array> {
    if (this.#stdin !== undefined) return this.#stdin;
    throw new RuntsError("stdin is not attached", { hint: "attach with stdin: true" });
  }

  /**
   * What it writes from now on; on a terminal it is all, and begins with what that has shown last. Nothing is
   * taken before somebody reads. Of the one that nobody reads, a MiB is kept meanwhile.
   */
  get stdout(): ProcessReadable {
    return this.#split.stdout;
  }

  /** The same of its standard error output. */
  get stderr(): ProcessReadable {
    return this.#split.stderr;
  }

  /** How many bytes of output we were too slow for, as far as that has been told. */
  get lost(): bigint {
    return this.#split.lost;
  }

  /** Instead of `stdout` and `stderr`: both in one, in their order. */
  output(): AsyncGenerator<Output, void> {
    return this.#packets;
  }

  /** Gives its terminal a size. */
  resize(size: TerminalSize): Promise<void> {
    return resize(this.#runtime, { ...this.#of, ...size });
  }

  /** Detaches. */
  [Symbol.dispose](): void {
    this.#attachment[Symbol.dispose]();
  }

  #input(kind: "terminal" | "pipes"): WritableStream<Uint8Array> {
    const attachment = this.#attachment;
    return new WritableStream({
      write: (chunk) => attachment.write(chunk),
      // It comes behind all that was sent.
      close: () =>
        kind === "terminal" ? attachment.write(END_OF_INPUT) : closeStdin(this.#runtime, this.#of),
    });
  }
}

/** Joins the streams of a process. */
export async function attachStreams(
  runtime: LoadedRuntime,
  options: AttachOptions,
): Promise<AttachedStreams> {
  const attachment = await attach(runtime, options);
  const { id, process } = options;
  const of = { id, ...(process !== undefined && { process }) };
  return new AttachedStreams(runtime, of, attachment, inputOf(runtime, options));
}

function inputOf(
  runtime: LoadedRuntime,
  { id, process = INIT, stdin = true }: AttachOptions,
): "terminal" | "pipes" | undefined {
  if (!stdin) return undefined;
  const { record } = standingNow(runtime, new StateDirectory(runtime, id), process);
  return record?.spec?.terminal ? "terminal" : "pipes";
}
