/** `top`: what every container of a root uses, reading after reading. */

import type { CgroupRecord } from "../cgroup/manager.ts";
import { readStats, type Stats } from "../cgroup/stats/read.ts";
import { type Totals, totalsOf } from "../cgroup/stats/totals.ts";
import { type Runtime, runtimeOf, type RuntimeOrSettings } from "../runtime/runtime.ts";
import { cgroupOf } from "../state/cgroup.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { listSupervised, type SupervisedEntry } from "./list.ts";

/** What one container uses. What cannot be known is absent: of one that is stopped, all of it. */
export interface Usage {
  /** Of the container. */
  readonly id: string;
  /** Process id of its init; 0 when it is stopped. */
  readonly pid: number;
  /** Its status, as `list` has it. */
  readonly status: SupervisedEntry["status"];
  /** How often it was started anew; of supervised ones alone. */
  readonly restarts?: number;
  /** Time on processors since it was made, in ns. */
  readonly cpuTime?: number;
  /** The part of it in the kernel. */
  readonly cpuKernel?: number;
  /** The part of it outside. */
  readonly cpuUser?: number;
  /** Of one processor, since the reading before, in percent. */
  readonly cpu?: number;
  /** Bytes. */
  readonly memory?: number;
  /** Bytes; absent without a limit. */
  readonly memoryLimit?: number;
  /** Processes and threads. */
  readonly pids?: number;
  /** Absent without a limit. */
  readonly pidsLimit?: number;
  /** Bytes from disks since it was made. */
  readonly read?: number;
  /** Bytes to disks since it was made. */
  readonly written?: number;
  /** Bytes from disks a second, since the reading before. */
  readonly readRate?: number;
  /** Bytes to disks a second, since the reading before. */
  readonly writeRate?: number;
  /** Share of the last 10 s in which some task waited, in percent; on cgroup v2 alone. */
  readonly pressure?: {
    /** For processors. */
    readonly cpu: number;
    /** For memory. */
    readonly memory: number;
    /** For disks. */
    readonly io: number;
  };
}

/** Limits at or above this are none: the kernel's word for "max" on v1, rounded to pages. */
const UNLIMITED = 2 ** 62;

/** What was read, and when in ms of a clock that is never set back. */
interface Reading {
  readonly time: number;
  readonly cpuTime: number;
  readonly read: number;
  readonly written: number;
}

/** Reads again and again; shares and rates are those since the reading before. */
export class UsageMeter {
  readonly #runtime: Runtime;
  readonly #passes: (entry: SupervisedEntry) => boolean;
  #before = new Map<string, Reading>();

  /** `passes`: which containers are wanted; default all. */
  constructor(given: RuntimeOrSettings = {}, passes = (_: SupervisedEntry): boolean => true) {
    this.#runtime = runtimeOf(given);
    this.#passes = passes;
  }

  /** The containers as they are now, by id. */
  async read(): Promise<Usage[]> {
    const usages: Usage[] = [];
    const readings = new Map<string, Reading>();
    for await (const entry of listSupervised(this.#runtime)) {
      if (!this.#passes(entry)) continue;
      const stats = await statsOf(this.#runtime, entry);
      // Another container of the same name begins anew.
      const key = `${entry.id} ${entry.created}`;
      const totals = stats && totalsOf(stats);
      const reading = totals && readingOf(totals, performance.now());
      if (reading !== undefined) readings.set(key, reading);
      usages.push({
        ...rowOf(entry),
        ...(reading && usageOf(stats, totals, reading, this.#before.get(key))),
      });
    }
    this.#before = readings;
    return usages;
  }
}

/** None of a container that does not run, that has no cgroup, or that ends meanwhile. */
async function statsOf(runtime: Runtime, entry: SupervisedEntry): Promise<Stats | undefined> {
  if (!["created", "running", "paused"].includes(entry.status)) return undefined;
  try {
    const { status } = inspect(new StateDirectory(runtime, entry.id));
    const { record }: { record: CgroupRecord } = await cgroupOf(runtime, status);
    return await readStats(record);
  } catch {
    return undefined;
  }
}

function rowOf({ id, pid, status, supervision }: SupervisedEntry): Usage {
  return { id, pid, status, ...(supervision && { restarts: supervision.restarts }) };
}

function readingOf({ cpuTime = 0, read, written }: Totals, time: number): Reading {
  return { time, cpuTime, read, written };
}

function usageOf(
  { cpu, memory, pids, blkio }: Stats,
  { cpuKernel, cpuUser, memory: used = 0 }: Totals,
  { time, ...now }: Reading,
  before: Reading | undefined,
): Partial<Usage> {
  const seconds = before === undefined ? 0 : Math.max(1, time - before.time) / 1000;
  const rate = (key: "cpuTime" | "read" | "written") =>
    before === undefined ? 0 : Math.max(0, now[key] - before[key]) / seconds;
  const pressure = [cpu.psi, memory.psi, blkio.psi].map((psi) => psi?.some.avg10);
  const isMeasured = pressure.some((share) => share !== undefined);
  return {
    ...now,
    cpuKernel,
    cpuUser,
    memory: used,
    ...limit("memoryLimit", memory.usage.limit),
    pids: Number(pids.current ?? 0),
    ...limit("pidsLimit", pids.limit),
    ...(before && {
      cpu: rate("cpuTime") / 1e7,
      readRate: rate("read"),
      writeRate: rate("written"),
    }),
    ...(isMeasured && {
      pressure: { cpu: pressure[0] ?? 0, memory: pressure[1] ?? 0, io: pressure[2] ?? 0 },
    }),
  };
}

function limit(key: "memoryLimit" | "pidsLimit", value: number | bigint | undefined) {
  const most = Number(value ?? 0);
  return most > 0 && most < UNLIMITED ? { [key]: most } : {};
}
