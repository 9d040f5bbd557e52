/** How a process ended, in words, with the likely cause. */

import type { Helper } from "../../ffi/helper.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { readStat } from "../state/liveness.ts";
import type { Status } from "../state/status.ts";
import { SIGKILL, signalName } from "../spec/values/signals.ts";

const SIGSYS = 31;
/** Milliseconds that the parent of a container's init gets to reap it. */
export const PARENT_REAPS = 50;

/** What waiting for a process gave. */
interface Ending {
  readonly code: number;
  readonly signal: number;
}

/** `exit status 1`, or `killed by SIGKILL` with the limit or the filter that did it. */
export function describeEnding(ending: Ending, cgroup: CgroupRecord | undefined): string {
  if (ending.signal === 0) return `exit status ${ending.code}`;
  const name = signalName(ending.signal);
  const killed = `killed by ${/^\d/.test(name) ? `signal ${name}` : `SIG${name}`}`;
  const reason = ending.signal === SIGKILL
    ? outOfMemory(cgroup)
    : ending.signal === SIGSYS
    ? "linux.seccomp forbids a system call that comes before the program"
    : undefined;
  return reason === undefined ? killed : `${killed}: ${reason}`;
}

/** The ending of a container's init, as far as it can be known. */
export function howInitEnded(helper: Helper, status: Status, pidfd: number): string {
  const ending = helper.reap(pidfd) ?? endingOfZombie(status) ??
    helper.exitStatus(pidfd, PARENT_REAPS);
  return ending === undefined ? `pid ${status.pid} is gone` : describeEnding(ending, status.cgroup);
}

/** Of a process that its parent has not reaped yet. */
function endingOfZombie({ pid, startTime }: Status): Ending | undefined {
  const stat = readStat(pid);
  if (stat?.startTime !== startTime || stat.state !== "Z") return undefined;
  return { code: stat.exitCode >> 8, signal: stat.exitCode & 0x7f };
}

/** Limit and use, when the kernel killed somebody in the cgroup for want of memory. */
function outOfMemory(cgroup: CgroupRecord | undefined): string | undefined {
  const v1 = cgroup?.paths["memory"];
  if (v1 !== undefined) {
    const killed = /oom_kill (\d+)/.exec(read(`${v1}/memory.oom_control`));
    if (!(Number(killed?.[1]) > 0)) return undefined;
    return tooLow(
      read(`${v1}/memory.limit_in_bytes`),
      read(`${v1}/memory.max_usage_in_bytes`),
    );
  }
  const v2 = cgroup?.paths[""];
  if (v2 === undefined) return undefined;
  const killed = /oom_kill (\d+)/.exec(read(`${v2}/memory.events`));
  if (!(Number(killed?.[1]) > 0)) return undefined;
  return tooLow(read(`${v2}/memory.max`), read(`${v2}/memory.peak`));
}

function tooLow(limit: string, peak: string): string {
  const use = peak === "" ? "" : `, use reached ${peak.trim()}`;
  return `out of memory: the limit of ${limit.trim()} bytes is too low${use}`;
}

function read(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return "";
  }
}
