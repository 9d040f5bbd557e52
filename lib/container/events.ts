/** `events`: what a container uses, and when it runs out of memory. */

import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { watchOom } from "../cgroup/oom.ts";
import { oomKills } from "../cgroup/oom_kills.ts";
import { readStats, type Stats } from "../cgroup/stats/read.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { reason, RuntsError } from "../base/errors.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import type { Status } from "../state/status.ts";
import { cgroupOf } from "../state/cgroup.ts";
import { inCommand } from "../runtime/command.ts";
import { openInit } from "./kill.ts";
import type { ContainerName } from "../caller/options.ts";

/** The longest time of a timer, in ms: a longer one would fire at once. */
const TIMER_MAX = 2 ** 31 - 1;

/** What {@linkcode events} gives, in the form that runc prints. */
export type ContainerEvent =
  | { readonly type: "stats"; readonly id: string; readonly data: Stats }
  | { readonly type: "oom"; readonly id: string };

/** What {@linkcode events} watches, and for how long. */
export interface EventsOptions extends ContainerName {
  /** Milliseconds between two statistics, above 0; default 5000. */
  readonly interval?: number;
  /** Ends the watch. */
  readonly signal?: AbortSignal;
}

/** What the container uses now. */
export function stats(given: RuntimeOrSettings, options: ContainerName): Promise<Stats> {
  return inCommand(given, "events", options.id, async (runtime) => {
    const cgroup = await cgroupOf(runtime, living(runtime, options));
    return await readStats(cgroup.record);
  });
}

/** Statistics at every interval, and each lack of memory as it happens, until init has ended. */
export async function* events(
  given: RuntimeOrSettings,
  options: EventsOptions,
): AsyncGenerator<ContainerEvent> {
  const watch = await inCommand(given, "events", options.id, async (unloaded) => {
    const { interval = 5000 } = options;
    if (!(interval > 0)) {
      throw new RuntsError(`interval ${interval} is not a number of milliseconds above 0`);
    }
    const runtime = await load(unloaded);
    const status = living(runtime, options);
    const { record } = await cgroupOf(runtime, status);
    return new Watch(runtime, options, record, openInit(runtime, status));
  });
  const { signal } = options;
  const end = () => watch.end();
  signal?.addEventListener("abort", end);
  try {
    if (signal?.aborted) return;
    yield* watch.run();
  } finally {
    signal?.removeEventListener("abort", end);
    await watch.close();
  }
}

function living(runtime: Runtime, options: ContainerName): Status {
  const { state, status } = inspect(new StateDirectory(runtime, options.id));
  if (state === "stopped" || state === "creating") {
    throw new RuntsError(`container not running: it is ${state}`);
  }
  return status;
}

/** Gathers what happens to a container in one queue. */
class Watch {
  readonly #queue: ContainerEvent[] = [];
  readonly #stop = new AbortController();
  #arrived = () => {};
  #oomsSeen = 0;
  #watches: Promise<void>[] = [];

  constructor(
    readonly runtime: LoadedRuntime,
    readonly options: EventsOptions,
    readonly record: CgroupRecord,
    readonly pidfd: number,
  ) {}

  async *run(): AsyncGenerator<ContainerEvent> {
    const killsBefore = oomKills(this.record);
    this.#watches = [this.#watchMemory(), this.#watchInit(killsBefore)];
    const timer = setInterval(
      () => this.#statistics(),
      Math.min(this.options.interval ?? 5000, TIMER_MAX),
    );
    try {
      for (;;) {
        for (let event; (event = this.#queue.shift()) !== undefined;) yield event;
        if (this.#stop.signal.aborted) return;
        await new Promise<void>((resolve) => this.#arrived = resolve);
      }
    } finally {
      clearInterval(timer);
    }
  }

  end(): void {
    this.#stop.abort();
    this.#arrived();
  }

  async close(): Promise<void> {
    this.end();
    await Promise.all(this.#watches);
    this.runtime.helper.close(this.pidfd);
  }

  #push(event: ContainerEvent): void {
    this.#queue.push(event);
    this.#arrived();
  }

  #oom(): void {
    this.#oomsSeen++;
    this.#push({ type: "oom", id: this.options.id });
  }

  async #statistics(): Promise<void> {
    try {
      const data = await readStats(this.record);
      if (!this.#stop.signal.aborted) this.#push({ type: "stats", id: this.options.id, data });
    } catch {
      this.end(); // the cgroup is gone, and so is the container
    }
  }

  /** A container whose cgroup cannot tell has statistics all the same. */
  async #watchMemory(): Promise<void> {
    try {
      for await (const _ of watchOom(this.runtime, this.record, this.#stop.signal)) this.#oom();
    } catch (error) {
      this.runtime.warn(reason(error));
    }
  }

  /** The lack of memory that ended init may be known only after its end. */
  async #watchInit(killsBefore: number): Promise<void> {
    const { signal } = this.#stop;
    await this.runtime.helper.awaitExit(this.pidfd, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (this.#oomsSeen === 0 && oomKills(this.record) > killsBefore) this.#oom();
    this.end();
  }
}
