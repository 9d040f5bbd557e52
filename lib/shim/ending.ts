/** What is waited for once a process has ended. */

import { delay } from "../base/delay.ts";
import { ESRCH } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import { SIGKILL, SIGTERM } from "../spec/values/signals.ts";
import { readStat } from "../state/liveness.ts";
import { monitorName } from "./attend.ts";
import type { Making } from "./making.ts";
import type { TaskProcess } from "./process.ts";

/** How long what was written may take to be read, in ms. */
const DRAIN_TIMEOUT = 10_000;
const DRAIN_PAUSE_MAX = 50;
/** How long a program that takes output may take to end, in ms. */
const LOGGER_TIMEOUT = 12_000;
/** How long the execs of a container may take to end after its init, in ms. */
const EXECS_TIMEOUT = 10_000;
const PAUSE = 2;

/** Waits until they have ended, of those that run, for a while. */
export async function untilStopped(
  processes: readonly TaskProcess[],
  timeout = EXECS_TIMEOUT,
): Promise<void> {
  const end = performance.now() + timeout;
  for (const process of processes) {
    if (process.execId !== "" && process.state === "created") continue;
    while (process.state !== "stopped" && performance.now() < end) {
      await delay(PAUSE);
    }
  }
}

/** Waits until what a process wrote was taken, for a while; then whoever takes it is asked to end. */
export async function drain(making: Making, { execId, entry }: TaskProcess): Promise<void> {
  const { pod: { monitor }, entry: { id } } = making;
  if (entry.state === "created") return;
  const end = performance.now() + DRAIN_TIMEOUT;
  for (let pause = 1; !await monitor.drain(monitorName(id, execId), performance.now() > end);) {
    await delay(pause);
    pause = Math.min(2 * pause, DRAIN_PAUSE_MAX);
  }
  if (entry.logger !== undefined) await endLogger(making, entry.logger);
}

async function endLogger({ pod, runtime: { helper } }: Making, pid: number): Promise<void> {
  let pidfd: number | undefined;
  try {
    pidfd = helper.openPidfd(pid);
    if (readStat(pid)?.parent !== pod.monitorProcess.pid) return; // it is somebody else
    helper.sendSignal(pidfd, SIGTERM);
    if (await helper.awaitExit(pidfd, { timeoutMs: LOGGER_TIMEOUT })) return;
    helper.sendSignal(pidfd, SIGKILL);
  } catch (error) {
    if (errnoOf(error) !== ESRCH) throw error;
  } finally {
    if (pidfd !== undefined) helper.close(pidfd);
  }
}
