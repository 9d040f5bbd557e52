/** Whether a recorded process still lives: pid and start time must both match (proc_pid_stat(5)). */

import { readFile } from "../base/files.ts";

/** What /proc/PID/stat says of a process. */
interface ProcessStat {
  /** One letter: R S D Z T … */
  readonly state: string;
  /** Process id of its parent; 0 for one without, or with one in another pid namespace. */
  readonly parent: number;
  /** Whether it has executed a program since it was forked (PF_FORKNOEXEC of field 9 is clear). */
  readonly executed: boolean;
  /** Field 22, in clock ticks since boot. */
  readonly startTime: number;
  /** Field 52, as wait(2) has it; 0 for a process that runs, or that we may not trace. */
  readonly exitCode: number;
}

/** PF_FORKNOEXEC (linux/sched.h): execve(2) clears it before it closes descriptors. */
const FORKED_ONLY = 0x40;

/** Reads /proc/PID/stat; undefined when there is no such process. */
export function readStat(pid: number): ProcessStat | undefined {
  return readStatIn(`/proc/${pid}`);
}

/** The same of a process' directory of /proc. */
export function readStatIn(proc: string): ProcessStat | undefined {
  const text = readFile(`${proc}/stat`);
  if (text === undefined) return undefined;
  // The command name, in parentheses, may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    state: fields[0] ?? "",
    parent: Number(fields[1]),
    executed: (Number(fields[6]) & FORKED_ONLY) === 0,
    startTime: Number(fields[19]),
    exitCode: Number(fields[49]),
  };
}

/** What a recorded process is doing; undefined where it does not exist, is another one, or has exited. */
export function aliveStat(
  { pid, startTime }: { readonly pid: number; readonly startTime: number },
): ProcessStat | undefined {
  if (!(pid > 0)) return undefined;
  const stat = readStat(pid);
  return stat?.startTime === startTime && !isEnded(stat) ? stat : undefined;
}

/** Whether the process exists, is the recorded one, and has not exited. */
export function isAlive(pid: number, startTime: number): boolean {
  return aliveStat({ pid, startTime }) !== undefined;
}

/** Whether it has exited, and only its parent is left to take note of that. */
export function isEnded({ state }: ProcessStat): boolean {
  return "ZXx".includes(state);
}

/** The process id as the innermost pid namespace of the process sees it. */
export function innerPid(pid: number): number {
  return pidsOf(pid).at(-1)!;
}

/** The process ids in all pid namespaces that the process is in, the outermost first (NSpid, Linux 4.1). */
export function pidsOf(pid: number): number[] {
  const line = /^NSpid:\s*(.*)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  return line?.[1]?.split(/\s+/).map(Number) ?? [pid];
}
