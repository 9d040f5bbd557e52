/** The brain of all shims of a node: whoever has the lock. Monitors come to it, each with containerd's requests. */

import { reason } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import { ShimMonitor } from "../body/shim_monitor.ts";
import { type LoadedRuntime, withSettings } from "../runtime/runtime.ts";
import { readStat } from "../state/liveness.ts";
import { decodeGreeting, GreetingKind } from "../wire/body.ts";
import { EventsClient } from "./events.ts";
import { startForFront } from "./front_start.ts";
import { Link } from "./link.ts";
import { warnInLog } from "./log.ts";
import { type BrainPlace, groupDirectory } from "./places.ts";
import { GroupFiles } from "./record.ts";
import { Turns } from "./turns.ts";

/** How a brain is to serve. */
interface BrainOptions {
  /** Aborted when it is to end, once what is under way has come to its end. */
  readonly signal: AbortSignal;
  /** In ms: it ends when no monitor has been there for so long; -1: never. */
  readonly idle: number;
}

/** What comes of it. */
export class Brain {
  readonly #runtime: LoadedRuntime;
  readonly #place: BrainPlace;
  readonly #clients = new Map<string, EventsClient>();
  readonly #turns = new Turns();
  readonly #links = new Set<Link>();
  /** A pidfd of this process. */
  readonly #own: number;
  readonly #unsaid: string[] = [];
  #starts = 0;
  /** When the last monitor has gone, as performance.now() has it. */
  #idleSince = performance.now();

  /** The place's descriptors are its to close. */
  constructor(runtime: LoadedRuntime, place: BrainPlace, pid: number) {
    const warn = (message: string) => {
      for (const link of this.#links) return link.warn(message);
    };
    this.#runtime = withSettings(runtime, { warn });
    this.#place = place;
    this.#own = runtime.helper.openPidfd(pid);
  }

  /** Tells of it as soon as there is a log. */
  warnLater(message: string): void {
    this.#unsaid.push(message);
  }

  /** Whether something is under way that waits for more than descriptors. */
  get isStarting(): boolean {
    return this.#starts > 0;
  }

  /** Serves monitors until it is to end. */
  async serve({ signal, idle }: BrainOptions): Promise<void> {
    const { helper } = this.#runtime;
    const { directory, socket, lock } = this.#place;
    try {
      while (!signal.aborted) {
        const ready = await helper.awaitFds([socket], { signal, timeoutMs: idle });
        if (ready.length > 0) this.#take(helper.receiveDatagram(socket, 0));
        else if (this.#isIdleFor(idle)) break;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      removeQuietly(`${directory}/shim.sock`);
      helper.close(socket);
      await Promise.all(Array.from(this.#links, (link) => link.leave()));
      for (const client of this.#clients.values()) client.close();
      helper.close(this.#own);
      helper.close(lock);
    }
  }

  #isIdleFor(ms: number): boolean {
    const isIdle = this.#links.size === 0 && this.#starts === 0;
    return isIdle && performance.now() - this.#idleSince >= ms;
  }

  /** Somebody has greeted. */
  #take({ bytes, fds }: { bytes: Uint8Array; fds: readonly number[] }): void {
    const greeting = decodeGreeting(bytes);
    const warn = (error: unknown) => this.#runtime.warn(reason(error));
    if (greeting?.kind === GreetingKind.monitor && fds.length === 1) {
      const { pid, texts: [name = ""] } = greeting;
      this.#serveMonitor(fds[0]!, pid, name).catch(warn);
    } else if (greeting?.kind === GreetingKind.start && fds.length === 3) {
      this.#starts++;
      startForFront(this.#runtime, greeting.texts, fds).catch(warn).finally(() => this.#starts--);
    } else for (const fd of fds) this.#runtime.helper.close(fd);
  }

  async #serveMonitor(fd: number, pid: number, name: string): Promise<void> {
    const monitor = ShimMonitor.over(this.#runtime.helper, fd);
    try {
      await monitor.know(this.#own);
      const files = new GroupFiles(groupDirectory(this.#place.directory, name));
      const group = files.readGroup();
      if (group === undefined) return await monitor.leave(); // the brain before has ended it so far
      const runtime = withSettings(this.#runtime, {
        warn: warnInLog(this.#runtime.helper, group.bundle, {
          id: group.group,
          namespace: group.namespace,
        }),
      });
      const pod = {
        namespace: group.namespace,
        files,
        events: this.#clientOf(group.events),
        monitor,
        monitorProcess: { pid, startTime: readStat(pid)?.startTime ?? 0 },
        runtime,
      };
      const link = new Link(pod, group, this.#turns);
      this.#links.add(link);
      for (const message of this.#unsaid.splice(0)) link.warn(message);
      try {
        await link.serve();
      } finally {
        this.#links.delete(link);
        this.#idleSince = performance.now();
      }
    } finally {
      monitor[Symbol.dispose]();
    }
  }

  #clientOf(address: string): EventsClient {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const client = new EventsClient(this.#runtime, address);
    this.#clients.set(address, client);
    return client;
  }
}
