/** `lxc stop`: asks init to end, and after a time ends it. */

import { RuntsError } from "../../base/errors.ts";
import { delay } from "../../base/delay.ts";
import { openInit } from "../../container/kill.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { SIGKILL } from "../../spec/values/signals.ts";
import { cgroupOf } from "../../state/cgroup.ts";
import { StateDirectory } from "../../state/directory.ts";
import { inspect, type Inspection } from "../../state/inspect.ts";
import { withLockIfThere } from "../../state/lock.ts";
import type { SystemPlan } from "../plan/types.ts";
import { readSystem } from "./record.ts";
import { settleLocked } from "./settle.ts";
import { systemNow } from "./state.ts";

/** How a container is stopped. */
export interface SystemStopOptions {
  /** It is killed at once. */
  readonly kill?: boolean;
  /** Milliseconds between the signal and the end; -1 for ever. Default 60,000. */
  readonly timeout?: number;
  /** It is not killed when the time is over: that is an error then. */
  readonly noKill?: boolean;
  /** Nobody waits for the end. */
  readonly noWait?: boolean;
}

interface StopOptions extends SystemStopOptions {
  /** Of the container, as runts has it. */
  readonly id: string;
  /** It is asked to start anew. */
  readonly reboot?: boolean;
}

const TIMEOUT = 60_000;
/** How long a killed init may take to go, in ms. */
const KILL_TIMEOUT = 10_000;
const SIGPWR = 30;
/** SIGRTMIN+3, as systemd has it (SIGRTMIN is 34 in a C library). */
const SYSTEMD_HALT = 37;

/** Stops it; returns once all of it is gone. False: it does not run. */
export function stopSystem(given: RuntimeOrSettings, options: StopOptions): Promise<boolean> {
  return inCommand(given, "stop", options.id, async (unloaded) => {
    const { state } = systemNow(unloaded, options.id);
    if (state === "STOPPED") return false;
    const runtime = await load(unloaded);
    const directory = new StateDirectory(unloaded, options.id);
    if (state !== "STOPPING") await end(runtime, directory, options);
    if (options.noWait) return true;
    const target = options.reboot ? undefined : "stop";
    await withLockIfThere(runtime, directory, () => settleLocked(runtime, directory, target));
    if (options.reboot && systemNow(runtime, options.id).state === "STOPPED") {
      throw new RuntsError("it has stopped instead of being started anew");
    }
    return true;
  });
}

async function end(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  options: StopOptions,
): Promise<void> {
  const { helper } = runtime;
  const found = inspect(directory);
  const { plan } = readSystem(directory);
  const pidfd = openInit(runtime, found.status);
  try {
    if (!options.kill) {
      const { reboot } = plan.beyond.signals;
      helper.sendSignal(pidfd, options.reboot ? reboot : haltSignal(plan, found));
      await thawIfFrozen(runtime, found);
      if (options.noWait) return;
      if (await exits(runtime, pidfd, options.timeout ?? TIMEOUT)) return;
      if (options.noKill) throw new RuntsError("init did not end in time");
    }
    helper.sendSignal(pidfd, plan.beyond.signals.stop);
    await thawIfFrozen(runtime, found);
    if (plan.beyond.signals.stop !== SIGKILL) {
      if (await helper.awaitExit(pidfd, { timeoutMs: KILL_TIMEOUT })) return;
      helper.sendSignal(pidfd, SIGKILL);
    }
    await (await cgroupOf(runtime, found.status)).killAll();
    if (await helper.awaitExit(pidfd, { timeoutMs: KILL_TIMEOUT })) return;
    throw new RuntsError(`init (pid ${found.status.pid}) did not end after KILL`);
  } finally {
    helper.close(pidfd);
  }
}

/** @param timeout -1: for ever */
async function exits(
  { helper }: LoadedRuntime,
  pidfd: number,
  timeout: number,
): Promise<boolean> {
  if (timeout >= 0) return await helper.awaitExit(pidfd, { timeoutMs: timeout });
  while (!await helper.awaitExit(pidfd, { timeoutMs: TIMEOUT })) await delay(0);
  return true;
}

async function thawIfFrozen(runtime: LoadedRuntime, { state, status }: Inspection): Promise<void> {
  if (state === "paused") await (await cgroupOf(runtime, status)).thaw();
}

/** systemd blocks SIGRTMIN+3 and takes it from a signalfd; others are told that the power fails. */
function haltSignal({ beyond: { signals } }: SystemPlan, { status }: Inspection): number {
  if (signals.halt !== undefined) return signals.halt;
  const blocked = /^SigBlk:\s*([0-9a-f]+)$/m.exec(statusText(status.pid))?.[1] ?? "0";
  return BigInt(`0x${blocked}`) & (1n << BigInt(SYSTEMD_HALT - 1)) ? SYSTEMD_HALT : SIGPWR;
}

function statusText(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/status`);
  } catch {
    return ""; // it has ended
  }
}
