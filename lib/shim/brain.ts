/** The brain of all shims of a node: whoever has the lock. Monitors come to it, each with containerd's requests. */

import { delay } from "../base/delay.ts";
import { reason } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { ShimMonitor } from "../body/shim_monitor.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { readStat } from "../state/liveness.ts";
import { decodeGreeting, type Ended, type Frame, GreetingKind } from "../wire/body.ts";
import { EventsClient } from "./events.ts";
import { startForFront } from "./front_start.ts";
import { type BrainPlace, groupDirectory } from "./places.ts";
import { type GroupEntry, GroupFiles } from "./record.ts";
import type { Pod } from "./making.ts";
import { TaskService } from "./service.ts";
import {
  Code,
  decodeRequest,
  encodeFailure,
  encodeResult,
  type Request,
  StatusError,
} from "./ttrpc.ts";
import { Turns } from "./turns.ts";

/** A group without a task ends when it was seen so often, with so many ms in between. */
const EMPTY_MAX = 4;
const EMPTY_PAUSE = 15_000;
/** Calls that change nothing, and need not wait for their turn. */
const LOOKS = ["Connect", "Pids", "State", "Stats", "Wait"];
/** How long events may take to be told once the last container has gone, in ms. */
const FLUSH_TIMEOUT = 3_000;

/** Serves monitors until the signal. */
export async function serveShims(
  runtime: LoadedRuntime,
  { directory, socket }: BrainPlace,
  signal: AbortSignal,
): Promise<void> {
  const { helper } = runtime;
  const clients = new Map<string, EventsClient>();
  const own = helper.openPidfd(runtime.caller.pid);
  const node: Node = { runtime, directory, clients, own, turns: new Turns() };
  try {
    while (!signal.aborted) {
      await helper.awaitFds([socket], { signal });
      const { bytes, fds } = helper.receiveDatagram(socket, 0);
      const greeting = decodeGreeting(bytes);
      const warn = (error: unknown) => runtime.warn(reason(error));
      if (greeting?.kind === GreetingKind.monitor && fds.length === 1) {
        const { pid, texts: [name = ""] } = greeting;
        serveMonitor(node, fds[0]!, { pid, name }).catch(warn);
      } else if (greeting?.kind === GreetingKind.start && fds.length === 3) {
        startForFront(runtime, greeting.texts, fds).catch(warn);
      } else for (const fd of fds) helper.close(fd);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    removeQuietly(`${directory}/shim.sock`);
    helper.close(socket);
    helper.close(own);
  }
}

/** What all monitors have in common. */
interface Node {
  readonly runtime: LoadedRuntime;
  readonly directory: string;
  readonly clients: Map<string, EventsClient>;
  /** A pidfd of this process. */
  readonly own: number;
  readonly turns: Turns;
}

async function serveMonitor(
  { runtime, directory, clients, own, turns }: Node,
  fd: number,
  greeting: { pid: number; name: string },
): Promise<void> {
  const monitor = ShimMonitor.over(runtime.helper, fd);
  try {
    await monitor.know(own);
    const files = new GroupFiles(groupDirectory(directory, greeting.name));
    const group = files.readGroup();
    if (group === undefined) return await monitor.leave(); // the brain before has ended it so far
    const startTime = readStat(greeting.pid)?.startTime ?? 0;
    let events = clients.get(group.events);
    if (events === undefined) clients.set(group.events, events = new EventsClient(group.events));
    const pod = {
      namespace: group.namespace,
      files,
      events,
      monitor,
      monitorProcess: { pid: greeting.pid, startTime },
      runtime,
    };
    await new Link(pod, group, new TaskService(pod), turns).serve();
  } finally {
    monitor[Symbol.dispose]();
  }
}

/** The requests of one monitor. */
class Link {
  readonly #runtime: LoadedRuntime;
  readonly #monitor: ShimMonitor;
  readonly #files: GroupFiles;
  readonly #group: GroupEntry;
  readonly #service: TaskService;
  readonly #turns: Turns;
  readonly #recovered = Promise.withResolvers<void>();
  #ended = false;

  constructor(
    { runtime, monitor, files }: Pod,
    group: GroupEntry,
    service: TaskService,
    turns: Turns,
  ) {
    this.#runtime = runtime;
    this.#monitor = monitor;
    this.#files = files;
    this.#group = group;
    this.#service = service;
    this.#turns = turns;
  }

  async serve(): Promise<void> {
    const over = this.#monitor.listen({
      ended: (end) => this.#end(end),
      frame: (frame, fds) => this.#frame(frame, fds),
    });
    await this.#service.recover();
    this.#recovered.resolve();
    if (this.#group.over && this.#service.isEmpty) return await this.#shutDown();
    this.#watchEmptiness().catch(() => {}); // the monitor has gone
    await this.#monitor.subscribe(0n);
    await over;
    this.#ended = true;
  }

  #end(end: Ended): void {
    this.#service.ended(end);
  }

  #frame(frame: Frame, fds: readonly number[]): void {
    const bytes = this.#bytesOf(frame, fds);
    this.#answer({ ...frame, bytes }).catch((error) => {
      if (!this.#ended) this.#runtime.warn(reason(error));
    });
  }

  /** Longer ones come in a file. */
  #bytesOf({ bytes, length }: Frame, [file, ...others]: readonly number[]): Uint8Array {
    const { helper } = this.#runtime;
    for (const other of others) helper.close(other);
    if (file === undefined) return bytes;
    try {
      return Deno.readFileSync(ownDescriptor(file)).subarray(0, length);
    } finally {
      helper.close(file);
    }
  }

  async #answer(frame: Frame): Promise<void> {
    await this.#recovered.promise;
    const request = requestOf(frame);
    const work = () => this.#work(request, frame);
    const isFirst = frame.attempt === 1;
    if (isFirst && !this.#turns.isTaken) return await work();
    const begin = async () => {
      if (!isFirst) await this.#monitor.begin(frame);
      await work();
    };
    await (LOOKS.includes(request?.method ?? "") ? begin() : this.#turns.take(begin));
  }

  async #work(request: Request | undefined, frame: Frame): Promise<void> {
    let answer: Uint8Array | undefined;
    try {
      if (request === undefined) throw new StatusError(Code.invalidArgument, "it is no request");
      const result = await this.#service.call(request, frame);
      answer = result && encodeResult(result);
    } catch (error) {
      const known = error instanceof StatusError
        ? error
        : new StatusError(Code.internal, reason(error));
      answer = encodeFailure(known);
    }
    if (answer === undefined) return;
    const isLast = request?.method === "Shutdown" && this.#service.isEmpty;
    // Whoever comes after us goes on with it.
    if (isLast) {
      this.#files.writeGroup({ ...this.#group, over: true });
      removeQuietly(this.#group.socket); // who waits for the answer finds it gone
    }
    await this.#monitor.answer(frame, answer);
    if (isLast) await this.#shutDown();
  }

  /** Whoever has called `start` may have died before it made a container, or told that none is left. */
  async #watchEmptiness(): Promise<void> {
    for (let empty = 0; !this.#ended; empty = this.#service.isEmpty ? empty + 1 : 0) {
      if (empty >= EMPTY_MAX) return await this.#shutDown();
      await delay(EMPTY_PAUSE, this.#monitor.gone);
    }
  }

  /** The last container has gone. */
  async #shutDown(): Promise<void> {
    await Promise.race([this.#service.told(), delay(FLUSH_TIMEOUT)]);
    if (!this.#service.isEmpty) return;
    removeQuietly(this.#group.socket);
    this.#files.end();
    this.#ended = true;
    await this.#monitor.leave();
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
