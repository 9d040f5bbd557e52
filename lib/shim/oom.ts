/** Telling of kills for want of memory in the cgroup of a task. */

import type { CgroupRecord } from "../cgroup/manager.ts";
import { watchOom } from "../cgroup/oom.ts";
import { oomKills } from "../cgroup/oom_kills.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { TaskEntry } from "./record.ts";

/** Counts what was told of in the entry. */
export class OomTeller {
  readonly #runtime: Runtime;
  readonly #entry: TaskEntry;
  readonly #tell: () => void;
  readonly #stop = new AbortController();

  constructor(runtime: Runtime, entry: TaskEntry, tell: () => void) {
    this.#runtime = runtime;
    this.#entry = entry;
    this.#tell = tell;
  }

  /** Tells of each from now on. */
  watch(cgroup: CgroupRecord): void {
    const work = async () => {
      for await (const _ of watchOom(this.#runtime, cgroup, this.#stop.signal)) {
        this.#entry.oomTold++;
        this.#tell();
      }
    };
    work().catch(() => {}); // there is no memory controller
  }

  /** Tells of what was not told of yet: before the end of a process is. */
  look(cgroup: CgroupRecord): void {
    const kills = oomKills(cgroup);
    if (kills <= this.#entry.oomTold) return;
    this.#entry.oomTold = kills;
    this.#tell();
  }

  stop(): void {
    this.#stop.abort();
  }
}
