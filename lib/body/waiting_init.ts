/** An init that was started before there was a plan, and waits for it (c/init/given.c). */

import type { PacketCalls } from "../../ffi/monitor.ts";
import { EPIPE } from "../base/errno.ts";
import { errnoOf, RuntsError } from "../base/errors.ts";
import { encodeRecord, Message } from "../wire/messages.ts";
import type { Body, EarlyInit, InitRequest, SpawnedInit, Spawning } from "./body.ts";
import type { Descriptors } from "./connection.ts";

/** It takes no more descriptors (EARLY_FILES of c/front/spawn.c). */
const SLOTS_MAX = 128;

/** What is needed of the calls of a front. */
type Calls = Pick<PacketCalls, "send"> & { sealedFile(name: string, bytes: Uint8Array): number };

/** Until it is taken or given up. */
export class WaitingInit implements Disposable {
  readonly #helper: Descriptors;
  readonly #calls: Calls;
  readonly #request: EarlyInit;
  /** Undefined where it could not be started: then it is in its time, or tells why not. */
  #init: Promise<SpawnedInit | undefined>;

  constructor(
    helper: Descriptors,
    calls: Calls,
    request: EarlyInit,
    init: Promise<SpawnedInit>,
  ) {
    this.#helper = helper;
    this.#calls = calls;
    this.#request = request;
    this.#init = init.catch(() => undefined);
  }

  /** Whether it is as if it had been started for this request, of a plan with so many slots. */
  suits({ trace, stdio, preserve }: Spawning, slots: number): boolean {
    const early = this.#request;
    return stdio === "inherit" && early.trace === trace && early.preserve === preserve &&
      slots <= SLOTS_MAX;
  }

  /** Whether it could be started. */
  async isThere(): Promise<boolean> {
    return await this.#init !== undefined;
  }

  /** Gives it what it waits for. One that has ended has said why. */
  async take(request: InitRequest): Promise<SpawnedInit | undefined> {
    const init = await this.#init;
    if (init === undefined) return undefined;
    try {
      this.#give(init, request);
    } catch (error) {
      if (errnoOf(error) !== EPIPE) {
        this.#close(init);
        throw error;
      }
    }
    return { ...init, give: (slots) => this.#giveLate(init, slots) };
  }

  #give(init: SpawnedInit, { plan, fds, late = 0 }: InitRequest): void {
    const file = this.#calls.sealedFile("runts-plan", plan);
    try {
      this.#giveSlots(init, new Map([...fds.entries()].filter(([, fd]) => fd >= 0)));
      this.#send(init, encodeRecord(Message.plan, [], late), [file]);
    } finally {
      this.#helper.close(file);
    }
  }

  #giveLate(init: SpawnedInit, slots: ReadonlyMap<number, number>): void {
    try {
      this.#giveSlots(init, slots);
    } catch (error) {
      if (errnoOf(error) !== EPIPE) throw error;
      // It is gone: the next record, or the end of file, says why.
    }
  }

  #giveSlots(init: SpawnedInit, slots: ReadonlyMap<number, number>): void {
    if (slots.size === 0) return;
    this.#send(init, encodeRecord(Message.slots, [...slots.keys()]), [...slots.values()]);
  }

  #send({ socket }: SpawnedInit, bytes: Uint8Array<ArrayBuffer>, fds: readonly number[]): void {
    if (!this.#calls.send(socket, { bytes, fds })) throw new RuntsError("send the plan to init");
  }

  /** It ends for want of a plan; nothing of it stays behind. */
  async drop(body: Pick<Body, "reap"> & { readonly ended: AbortSignal }): Promise<void> {
    const init = await this.#init;
    this.#init = Promise.resolve(undefined);
    if (init === undefined) return;
    const { pid, pidfd, socket } = init;
    this.#helper.close(socket);
    try {
      await this.#helper.awaitFds([pidfd], { signal: body.ended });
      await body.reap({ pid, pidfd });
    } finally {
      this.#helper.close(pidfd);
    }
  }

  #close({ socket, pidfd }: SpawnedInit): void {
    for (const fd of [socket, pidfd]) this.#helper.close(fd);
  }

  [Symbol.dispose](): void {
    this.#init.then((init) => init && this.#close(init));
  }
}
