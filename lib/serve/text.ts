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

/** Text goes in the order in which it comes; it waits while the front has not taken what was before. */
export class FrontText implements Output {
  readonly #front: FrontBody;
  #last: Promise<void> = Promise.resolve();
  #problem: unknown;

  constructor(front: FrontBody) {
    this.#front = front;
  }

  readonly print = (text: string): void => {
    this.#add(async () => {
      if (this.#problem !== undefined) return;
      try {
        await this.#front.print(STDOUT, encodeText(text));
      } catch (error) {
        this.#problem = error;
      }
    });
  };

  readonly printError = (text: string): void => {
    this.#add(() => this.#front.print(STDERR, encodeText(text)).catch(() => {}));
  };

  readonly columns = async (): Promise<number | undefined> =>
    (await this.#front.descriptor(STDOUT)).terminal?.cols;

  readonly flush = async (): Promise<void> => {
    await this.#last;
    if (this.#problem === undefined) return;
    const cause = this.#problem;
    const isBroken = errnoOf(cause) === EPIPE;
    throw new RuntsError("write to the standard output", {
      ...(isBroken
        ? { cause: new Deno.errors.BrokenPipe(), exitCode: BROKEN_PIPE }
        : numberOf(cause)),
    });
  };

  #add(work: () => Promise<void>): void {
    this.#last = this.#last.then(work);
  }
}
