/** A process in the foreground of a front (c/front/foreground.c). */

import { Operation } from "../wire/body.ts";
import { ForegroundStep } from "../wire/front.ts";
import type { Foreground } from "./body.ts";
import type { BodyConnection } from "./connection.ts";

type Ask = BodyConnection["ask"];

/** The front does it all; what it could not do is thrown at the end, at the latest. */
export class FrontForeground implements Foreground {
  readonly #ask: Ask;
  readonly #asked: Promise<unknown>[] = [];
  #isJoined = false;

  constructor(ask: Ask) {
    this.#ask = ask;
    this.#step("keep signals", ForegroundStep.begin);
  }

  forwardTo(pidfd: number): void {
    this.#step("forward signals", ForegroundStep.target, [pidfd]);
  }

  async connect(master: number, log: number): Promise<void> {
    const fds = log < 0 ? [master] : [master, log];
    this.#isJoined = true;
    await this.#step("relay the terminal", ForegroundStep.terminal, fds);
  }

  /** Without a terminal it is enough that the front ends. */
  async end(): Promise<void> {
    if (this.#isJoined) this.#step("end the foreground", ForegroundStep.end);
    await Promise.all(this.#asked);
  }

  #step(what: string, step: number, fds: readonly number[] = []): Promise<unknown> {
    const asked = this.#ask(what, { operation: Operation.foreground, fields: [step], fds });
    asked.catch(() => {}); // heard of at the end
    this.#asked.push(asked);
    return asked;
  }
}
