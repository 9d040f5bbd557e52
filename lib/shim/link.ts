/** The requests of one monitor, which a brain carries out. */

import { delay } from "../base/delay.ts";
import { reason } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import type { Ended, Frame } from "../wire/body.ts";
import type { Pod } from "./making.ts";
import type { GroupEntry } from "./record.ts";
import { TaskService } from "./service.ts";
import {
  Code,
  decodeRequest,
  encodeFailure,
  encodeResult,
  type Request,
  StatusError,
} from "./ttrpc.ts";
import type { Turns } from "./turns.ts";

/** A group without a task ends when it was seen so often, with so many ms in between. */
const EMPTY_MAX = 4;
const EMPTY_PAUSE = 15_000;
/** Calls that change nothing, and need not wait for their turn. */
const LOOKS = ["Connect", "Pids", "State", "Stats", "Wait"];
/** How long events may take to be told once the last container has gone, in ms. */
const FLUSH_TIMEOUT = 3_000;

export class Link {
  readonly #pod: Pod;
  readonly #group: GroupEntry;
  readonly #service: TaskService;
  readonly #turns: Turns;
  readonly #recovered = Promise.withResolvers<void>();
  /** What changes something, and is under way. */
  readonly #atWork = new Set<Promise<void>>();
  #leaves = false;
  #ended = false;

  /** @param turns those of all monitors */
  constructor(pod: Pod, group: GroupEntry, turns: Turns) {
    this.#pod = pod;
    this.#group = group;
    this.#service = new TaskService(pod);
    this.#turns = turns;
  }

  /** Tells whoever reads the log of the monitor's pod. */
  warn(message: string): void {
    this.#pod.runtime.warn(message);
  }

  /** Until the monitor has gone, or is let go. */
  async serve(): Promise<void> {
    const { monitor } = this.#pod;
    const over = monitor.listen({
      ended: (end) => this.#end(end),
      frame: (frame, fds) => this.#frame(frame, fds),
    });
    await this.#service.recover();
    this.#recovered.resolve();
    if (this.#group.over && this.#service.isEmpty) return await this.#shutDown();
    this.#watchEmptiness().catch(() => {}); // the monitor has gone
    await monitor.subscribe(0n);
    await over;
    this.#ended = true;
  }

  /** Another brain is to go on: nothing more is begun here, and what is under way comes to its end. */
  async leave(): Promise<void> {
    this.#leaves = true;
    while (this.#atWork.size > 0) await Promise.all(this.#atWork);
    await this.#service.leave();
    this.#ended = true;
    await this.#pod.monitor.know(undefined).catch(() => {}); // it has gone
    this.#pod.monitor[Symbol.dispose]();
  }

  #end(end: Ended): void {
    if (!this.#leaves) this.#service.ended(end);
  }

  #frame(frame: Frame, fds: readonly number[]): void {
    const bytes = this.#bytesOf(frame, fds);
    if (this.#leaves) return; // the monitor tells the next brain
    this.#answer({ ...frame, bytes }).catch((error) => {
      if (!this.#ended) this.warn(reason(error));
    });
  }

  /** Longer ones come in a file. */
  #bytesOf({ bytes, length }: Frame, [file, ...others]: readonly number[]): Uint8Array {
    const { helper } = this.#pod.runtime;
    for (const other of others) helper.close(other);
    if (file === undefined) return bytes;
    try {
      return Deno.readFileSync(ownDescriptor(file)).subarray(0, length);
    } finally {
      helper.close(file);
    }
  }

  async #answer(frame: Frame): Promise<void> {
    const request = requestOf(frame);
    if (LOOKS.includes(request?.method ?? "")) return await this.#begin(request, frame);
    const work = this.#change(request, frame).catch((error) => {
      if (!this.#ended) this.warn(reason(error));
    });
    this.#atWork.add(work);
    await work;
    this.#atWork.delete(work);
  }

  async #change(request: Request | undefined, frame: Frame): Promise<void> {
    await this.#recovered.promise;
    if (frame.attempt === 1 && !this.#turns.isTaken) return await this.#work(request, frame);
    await this.#turns.take(() => this.#begin(request, frame));
  }

  /** The monitor learns of it where another brain was told before. */
  async #begin(request: Request | undefined, frame: Frame): Promise<void> {
    await this.#recovered.promise;
    if (frame.attempt > 1) await this.#pod.monitor.begin(frame);
    await this.#work(request, frame);
  }

  async #work(request: Request | undefined, frame: Frame): Promise<void> {
    let answer: Uint8Array | undefined;
    let failed = false;
    try {
      if (request === undefined) throw new StatusError(Code.invalidArgument, "it is no request");
      const result = await this.#service.call(request, frame);
      answer = result && encodeResult(result);
    } catch (error) {
      const known = error instanceof StatusError
        ? error
        : new StatusError(Code.internal, reason(error));
      answer = encodeFailure(known);
      failed = true;
    }
    if (answer === undefined) return;
    // What we need may have gone before we are: the next brain does it again.
    if (this.#leaves && failed) return;
    const isLast = request?.method === "Shutdown" && this.#service.isEmpty;
    // Whoever comes after us goes on with it.
    if (isLast) {
      this.#pod.files.writeGroup({ ...this.#group, over: true });
      removeQuietly(this.#group.socket); // who waits for the answer finds it gone
    }
    await this.#pod.monitor.answer(frame, answer);
    if (isLast) await this.#shutDown();
  }

  /** Whoever has called `start` may have died before it made a container, or told that none is left. */
  async #watchEmptiness(): Promise<void> {
    for (let empty = 0; !this.#ended; empty = this.#service.isEmpty ? empty + 1 : 0) {
      if (empty >= EMPTY_MAX) return await this.#shutDown();
      await delay(EMPTY_PAUSE, this.#pod.monitor.gone);
    }
  }

  /** The last container has gone. */
  async #shutDown(): Promise<void> {
    await Promise.race([this.#service.told(), delay(FLUSH_TIMEOUT)]);
    if (!this.#service.isEmpty) return;
    removeQuietly(this.#group.socket);
    this.#pod.files.end();
    this.#ended = true;
    await this.#pod.monitor.leave();
  }
}

/** Undefined for what is none. */
function requestOf({ bytes }: Frame): Request | undefined {
  try {
    return decodeRequest(bytes);
  } catch {
    return undefined;
  }
}
