/** Asking init to halt: with the signal that it listens to, once it does. */

import { readFile } from "../../base/files.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import type { SystemPlan } from "../plan/types.ts";

const SIGPWR = 30;
/** SIGRTMIN+3, as systemd has it (SIGRTMIN is 34 in a C library). */
const SYSTEMD_HALT = 37;
/** Between two looks at an init that does not listen yet, in ms. */
const PAUSE = 200;
/** At most so long in one wait, in ms. */
const WAIT_MAX = 60_000;

/** Init, and how long it is waited for. */
interface Halting {
  readonly plan: SystemPlan;
  readonly pid: number;
  readonly pidfd: number;
  /** ms; negative: for ever. */
  readonly timeout: number;
  /** Ends the wait for it, with the reason of the signal. */
  readonly signal?: AbortSignal;
}

/** Sends the signal. Gives whether init hears it: the kernel drops what its first process does not listen to. */
export function sendHalt(
  { helper }: LoadedRuntime,
  { plan, pid, pidfd }: Omit<Halting, "timeout" | "signal">,
): boolean {
  const { signal, isHeard } = haltSignal(plan, pid);
  helper.sendSignal(pidfd, signal);
  return isHeard;
}

/**
 * Waits for the end of an init that was asked to halt; one that has just been started is asked again once it listens.
 * False: the time is over.
 */
export async function awaitHalt(
  runtime: LoadedRuntime,
  halting: Halting,
  wasHeard: boolean,
): Promise<boolean> {
  const { timeout, pid, plan, pidfd, signal } = halting;
  const end = timeout < 0 ? Infinity : performance.now() + timeout;
  for (let heard = wasHeard;;) {
    const left = Math.max(0, end - performance.now());
    const timeoutMs = Math.min(left, heard ? WAIT_MAX : PAUSE);
    if (await runtime.helper.awaitExit(pidfd, { timeoutMs, signal })) return true;
    if (performance.now() >= end) return false;
    if (!heard && haltSignal(plan, pid).isHeard) heard = sendHalt(runtime, halting);
  }
}

/** systemd blocks SIGRTMIN+3 and takes it from a signalfd; others are told that the power fails. */
function haltSignal(
  { beyond: { signals } }: SystemPlan,
  pid: number,
): { readonly signal: number; readonly isHeard: boolean } {
  const text = readFile(`/proc/${pid}/status`) ?? ""; // it may have ended
  const blocked = maskOf(text, "SigBlk");
  const signal = signals.halt ?? (blocked & bit(SYSTEMD_HALT) ? SYSTEMD_HALT : SIGPWR);
  return { signal, isHeard: ((blocked | maskOf(text, "SigCgt")) & bit(signal)) !== 0n };
}

function maskOf(status: string, name: "SigBlk" | "SigCgt"): bigint {
  return BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
}

function bit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}
