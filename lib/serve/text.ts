/** What a command prints, on its way to the streams of its front. */

import { EPIPE } from "../base/errno.ts";
import { encodeText } from "../base/bytes.ts";
import { errnoOf, numberOf, RuntsError } from "../base/errors.ts";
import type { FrontBody } from "../body/front.ts";
import type { Output } from "../cli/types.ts";

/** The exit code of a program that SIGPIPE ended, as a shell has it. */
const BROKEN_PIPE = 141;
const STDOUT = 1;
const STDERR = 2;

/** What the front has not been told to print yet. */
interface Waiting {
  readonly fd: number;
  text: string;
  /** Whether the command fails when it cannot be written. */
  readonly counts: boolean;
}

/** Text goes in the order in which it comes; what waits while the front takes what was before goes as one. */
export class FrontText implements Output {
  readonly #front: FrontBody;
  readonly #waiting: Waiting[] = [];
  #isSending = false;
  #sent: Promise<void> = Promise.resolve();
  #problem: { readonly stream: string; readonly cause: unknown } | undefined;

  constructor(front: FrontBody) {
    this.#front = front;
  }

  /** Throws once what was written before has failed. */
  readonly write = (to: "stdout" | "stderr", text: string): void => {
    this.#assertTaken();
    this.#add({ fd: to === "stdout" ? STDOUT : STDERR, text, counts: true });
  };

  readonly print = (text: string): void => this.write("stdout", text);

  readonly printError = (text: string): void => this.#add({ fd: STDERR, text, counts: false });

  readonly columns = async (): Promise<number | undefined> =>
    (await this.#front.descriptor(STDOUT)).terminal?.cols;

  readonly flush = async (): Promise<void> => {
    await this.#sent;
    this.#assertTaken();
  };

  #assertTaken(): void {
    if (this.#problem === undefined) return;
    const { stream, cause } = this.#problem;
    const isBroken = errnoOf(cause) === EPIPE;
    throw new RuntsError(`write to the ${stream}`, {
      ...(isBroken
        ? { cause: new Deno.errors.BrokenPipe(), exitCode: BROKEN_PIPE }
        : numberOf(cause)),
    });
  }

  #add(one: Waiting): void {
    const last = this.#waiting.at(-1);
    if (last?.fd === one.fd && last.counts === one.counts) last.text += one.text;
    else this.#waiting.push(one);
    if (!this.#isSending) this.#sent = this.#send();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    for (let next; (next = this.#waiting.shift()) !== undefined;) {
      const { fd, text, counts } = next;
      if (counts && this.#problem !== undefined) continue;
      try {
        await this.#front.print(fd, encodeText(text));
      } catch (cause) {
        const stream = fd === STDOUT ? "standard output" : "standard error";
        if (counts) this.#problem = { stream, cause };
      }
    }
    this.#isSending = false;
  }
}
