/** `lxc stop`: asks init to end, and after a time ends it. */

import { RuntsError } from "../../base/errors.ts";
import { openInit } from "../../container/kill.ts";
import { inCommand } from "../../runtime/command.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../../runtime/runtime.ts";
import { SIGKILL } from "../../spec/values/signals.ts";
import { cgroupOf } from "../../state/cgroup.ts";
import { StateDirectory } from "../../state/directory.ts";
import { inspect, type Inspection } from "../../state/inspect.ts";
import { withLockIfThere } from "../../state/lock.ts";
import { awaitHalt, sendHalt } from "./halt.ts";
import { readSystem } from "./record.ts";
import { settleLocked } from "./settle.ts";
import { systemNow, type SystemState } from "./state.ts";

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
  /** Nobody waits for init any more, and then it is not killed either. */
  readonly signal?: AbortSignal;
}

const TIMEOUT = 60_000;
/** How long a killed init may take to go, in ms. */
const KILL_TIMEOUT = 10_000;

/** Stops it; returns once all of it is gone. False: it does not run. */
export function stopSystem(given: RuntimeOrSettings, options: StopOptions): Promise<boolean> {
  return inCommand(given, "stop", options.id, async (unloaded) => {
    if (systemNow(unloaded, options.id).state === "STOPPED") return false;
    const runtime = await load(unloaded);
    const directory = new StateDirectory(unloaded, options.id);
    const state = await stateOnceStarted(runtime, directory, options.signal);
    if (state === "STOPPED") return false;
    if (state !== "STOPPING") await end(runtime, directory, options);
    if (options.noWait) return true;
    if (options.reboot) await settleReboot(runtime, directory);
    else await settleStop(runtime, directory, options);
    return true;
  }, options.signal);
}

/** What is being started, or started anew, is waited for: whoever does that holds the lock. */
async function stateOnceStarted(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  signal: AbortSignal | undefined,
): Promise<SystemState> {
  const { state } = systemNow(runtime, directory.id);
  if (state !== "STARTING") return state;
  await withLockIfThere(runtime, directory, () => Promise.resolve(), signal);
  return systemNow(runtime, directory.id).state;
}

async function settleReboot(runtime: LoadedRuntime, directory: StateDirectory): Promise<void> {
  await withLockIfThere(runtime, directory, () => settleLocked(runtime, directory));
  if (systemNow(runtime, directory.id).state === "STOPPED") {
    throw new RuntsError("it has stopped instead of being started anew");
  }
}

/** Whoever sees to the end of an init that asks for a reboot may have come first: then the new one is ended, too. */
async function settleStop(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  options: StopOptions,
): Promise<void> {
  const settle = async () => {
    await withLockIfThere(runtime, directory, () => settleLocked(runtime, directory, "stop"));
    return systemNow(runtime, directory.id).pid === undefined;
  };
  for (const kill of [options.kill === true, options.noKill !== true]) {
    if (await settle()) return;
    await end(runtime, directory, { ...options, kill });
  }
  await settle();
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
      const { pid } = found.status;
      const halting = {
        ...{ plan, pid, pidfd, timeout: options.timeout ?? TIMEOUT },
        ...(options.signal && { signal: options.signal }),
      };
      let isHeard = true;
      if (options.reboot) helper.sendSignal(pidfd, plan.beyond.signals.reboot);
      else isHeard = sendHalt(runtime, halting);
      await thawIfFrozen(runtime, found);
      if (options.noWait) return;
      if (await awaitHalt(runtime, halting, isHeard)) return;
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

async function thawIfFrozen(runtime: LoadedRuntime, { state, status }: Inspection): Promise<void> {
  if (state === "paused") await (await cgroupOf(runtime, status)).thaw();
}
