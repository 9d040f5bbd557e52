/** How a process ended, in words, with the likely cause. */

import type { ProcessEnding } from "../body/body.ts";
import { readFile } from "../base/files.ts";
import { oomKills } from "../cgroup/oom_kills.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { readStat } from "../state/liveness.ts";
import type { Status } from "../state/status.ts";
import { SIGKILL, signalName } from "../spec/values/signals.ts";

const SIGSYS = 31;
/** What init ends itself with when it may not end otherwise: the trap of one processor or another. */
const TRAPS = [4, 5];
/** Milliseconds that the parent of a container's init gets to reap it. */
export const PARENT_REAPS = 50;

/** What waiting for a process gave. */
type Ending = Pick<ProcessEnding, "code" | "signal">;

/**
 * `exit status 1`, or `killed by SIGKILL`, with the limit or the filter that did it.
 *
 * @param filtered whether init has a filter of system calls
 */
export function describeEnding(
  { code, signal }: Ending,
  cgroup: CgroupRecord | undefined,
  filtered: boolean,
): string {
  const name = signalName(signal);
  const how = signal === 0
    ? `exit status ${code}`
    : `killed by ${/^\d/.test(name) ? `signal ${name}` : `SIG${name}`}`;
  const reason = signal === SIGKILL
    ? outOfMemory(cgroup)
    : signal === SIGSYS
    ? "linux.seccomp forbids a system call that comes before the program"
    : filtered && (signal === 0 ? code === 1 : TRAPS.includes(signal))
    ? "linux.seccomp refuses what comes before the program, and what it takes to say so"
    : undefined;
  return reason === undefined ? how : `${how}: ${reason}`;
}

/** The ending of a container's init, as far as it can be known. */
export async function howInitEnded(
  { helper, body }: LoadedRuntime,
  status: Status,
  pidfd: number,
): Promise<string> {
  const ending = await body.reap({ pid: status.pid, pidfd }) ?? endingOfZombie(status) ??
    await helper.exitStatus(pidfd, PARENT_REAPS);
  if (ending === undefined) return `pid ${status.pid} is gone`;
  return describeEnding(ending, status.cgroup, isFiltered(status));
}

function isFiltered({ startOps = [] }: Status): boolean {
  return startOps.some(({ op }) => op === "seccomp");
}

/** Whether an init that its parent has reaped had to end itself by a trap, as far as it can be known. */
export async function wasMute(
  { helper }: LoadedRuntime,
  status: Status,
  pidfd: number,
): Promise<boolean> {
  if (!isFiltered(status)) return false;
  const ending = await helper.exitStatus(pidfd, PARENT_REAPS);
  return ending !== undefined && TRAPS.includes(ending.signal);
}

/** Of a process that its parent has not reaped yet. */
function endingOfZombie({ pid, startTime }: Status): Ending | undefined {
  const stat = readStat(pid);
  if (stat?.startTime !== startTime || stat.state !== "Z") return undefined;
  return { code: stat.exitCode >> 8, signal: stat.exitCode & 0x7f };
}

/** Limit and use, when the kernel killed somebody in the cgroup for want of memory. */
function outOfMemory(cgroup: CgroupRecord | undefined): string | undefined {
  if (cgroup === undefined || oomKills(cgroup) === 0) return undefined;
  const v1 = cgroup.paths["memory"];
  const [limit, peak] = v1 === undefined
    ? [`${cgroup.paths[""]}/memory.max`, `${cgroup.paths[""]}/memory.peak`]
    : [`${v1}/memory.limit_in_bytes`, `${v1}/memory.max_usage_in_bytes`];
  const use = readFile(peak);
  return `out of memory: the limit of ${readFile(limit) ?? ""} bytes is too low` +
    (use === undefined ? "" : `, use reached ${use}`);
}
