/** What a brain finds of processes that the one before it has left. */

import { delay } from "../base/delay.ts";
import { readFile, readLink } from "../base/files.ts";
import type { ShimMonitor } from "../body/shim_monitor.ts";
import { processDirectory } from "../monitor/places.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import type { StateDirectory } from "../state/directory.ts";
import { isEnded, readStat } from "../state/liveness.ts";
import { INIT, readExitRecord, readProcessRecord } from "../state/process_record.ts";
import { processName } from "./attend.ts";
import type { TaskEntry } from "./record.ts";

/** How long one that nobody talks to any more may take to go on or to end, in ms. */
const SETTLE_TIMEOUT = 2_000;
const PAUSE = 1;
/** As the image of init is called in memory: c/helper/spawn.c. */
const IMAGE = /^\/memfd:runts-init /;

/** What there is of a process. */
type Found =
  /** Nothing was recorded of it. */
  | { readonly kind: "none" }
  /** It runs; or, an init, waits to be started. */
  | { readonly kind: "runs"; readonly pid: number }
  | { readonly kind: "waits"; readonly pid: number }
  /** It has ended; `undone`: before its program was executed. Without `exit` nobody knows how. */
  | {
    readonly kind: "ended" | "undone";
    readonly pid: number;
    readonly exit?: { readonly code: number; readonly time: bigint };
  };

/** Pids of what is written down of a task, as far as it is made. */
export function recordedPids(directory: StateDirectory, entry: TaskEntry): number[] {
  if (entry.phase !== "made") return [];
  return [["", entry.init] as const, ...Object.entries(entry.execs)].flatMap(([execId, { pid }]) =>
    pid || readProcessRecord(processDirectory(directory, processName(execId)))?.pid || []
  );
}

/** @param name of the process among those of its container */
export async function howItIs(
  monitor: ShimMonitor,
  directory: StateDirectory,
  name: string,
): Promise<Found> {
  const folder = processDirectory(directory, name);
  const record = readProcessRecord(folder);
  if (record === undefined) return { kind: "none" };
  const { pid, startTime } = record;
  const end = performance.now() + SETTLE_TIMEOUT;
  for (;;) {
    const stat = readStat(pid);
    if (stat?.startTime !== startTime || isEnded(stat)) break;
    if (stat.executed) return { kind: "runs", pid };
    if (name === INIT || performance.now() > end) return { kind: "waits", pid };
    await delay(PAUSE);
  }
  await monitor.ending(pid).catch(() => {}); // now it has taken note of it
  const exit = readExitRecord(folder);
  if (exit?.pid !== pid) return { kind: "ended", pid };
  return {
    kind: exit.executed === false ? "undone" : "ended",
    pid,
    exit: { code: exit.code, time: BigInt(Date.parse(exit.at)) * 1_000_000n },
  };
}

/** Ends what a brain was about to make, and nobody knows of: inits below the monitor that are not of these pids. */
export async function endStrays(
  { helper }: LoadedRuntime,
  monitor: number,
  known: ReadonlySet<number>,
): Promise<void> {
  const children = readFile(`/proc/${monitor}/task/${monitor}/children`) ?? "";
  for (const pid of children.split(" ").map(Number)) {
    if (pid === 0 || known.has(pid) || !IMAGE.test(readLink(`/proc/${pid}/exe`) ?? "")) continue;
    const pidfd = helper.openPidfd(pid);
    try {
      if (!IMAGE.test(readLink(`/proc/${pid}/exe`) ?? "")) continue;
      helper.sendSignal(pidfd, SIGKILL);
      await helper.awaitExit(pidfd, { timeoutMs: SETTLE_TIMEOUT });
    } finally {
      helper.close(pidfd);
    }
  }
}
