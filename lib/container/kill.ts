/** `kill`: signals the recorded process, and no other, through its pidfd. */

import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { freezerOf } from "../cgroup/freezer.ts";
import { ESRCH } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { parseSignal, SIGKILL, SIGTERM } from "../spec/values/signals.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { isAlive } from "../state/liveness.ts";
import type { Status } from "../state/status.ts";
import { cgroupOf, recordedCgroup } from "../state/cgroup.ts";
import { inCommand } from "../runtime/command.ts";
import { membersOf } from "../state/members.ts";
import { hasOwnPidNamespace, readCopyIfAny } from "../state/config_copy.ts";
import { annotatedSignal } from "../spec/values/stop_signal.ts";
import type { KillOptions } from "../caller/options.ts";

/** Sends a signal; with `all`, to every process of the container. */
export function kill(given: RuntimeOrSettings, options: KillOptions): Promise<void> {
  return inCommand(given, "kill", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    const found = inspect(directory);
    if (!found.complete) throw notRunning();
    const runtime = await load(unloaded);
    const chosen = options.signal === undefined ? undefined : parseSignal(String(options.signal));
    const signal = chosen ?? annotatedSignal(readCopyIfAny(directory)?.annotations) ?? SIGTERM;
    // Without a pid namespace of its own, the death of init takes nobody with it.
    const everyone = options.all ||
      (signal === SIGKILL && !hasOwnPidNamespace(directory));
    if (everyone) await killEveryone(runtime, directory, found, signal, options);
    else {
      if (found.state === "stopped") throw notRunning();
      signalInit(runtime, found.status, signal);
    }
    if (signal !== SIGKILL || found.state !== "paused") return;
    if (!everyone) await (await cgroupOf(runtime, found.status)).thaw();
    const { freezer } = recordedCgroup(runtime, found.status).paths;
    const frozen = freezer === undefined ? undefined : freezerOf(freezer);
    // Other than that of v2, the freezer of v1 keeps a killed process from ending.
    if (frozen) runtime.warn(`the container ends once cgroup ${quote(frozen)} is thawed`);
  });
}

/** The error for a container whose init is gone; clients look for its words. */
function notRunning(): RuntsError {
  return new RuntsError("container not running");
}

/** Opens a pidfd that is sure to be init's; throws `container not running` when it is gone. */
export function openInit({ helper }: LoadedRuntime, status: Status): number {
  if (status.pid === 0) throw notRunning();
  let pidfd: number;
  try {
    pidfd = helper.openPidfd(status.pid);
  } catch (error) {
    if (errnoOf(error) === ESRCH) throw notRunning();
    throw error;
  }
  if (isAlive(status.pid, status.startTime)) return pidfd;
  helper.close(pidfd);
  throw notRunning();
}

/** Signals init alone. */
function signalInit(runtime: LoadedRuntime, status: Status, signal: number): void {
  const { helper } = runtime;
  const pidfd = openInit(runtime, status);
  try {
    helper.sendSignal(pidfd, signal);
  } catch (error) {
    if (errnoOf(error) === ESRCH) throw notRunning();
    throw error;
  } finally {
    helper.close(pidfd);
  }
}

async function killEveryone(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  found: Inspection,
  signal: number,
  options: KillOptions,
): Promise<void> {
  const cgroup = await cgroupOf(runtime, found.status);
  if (found.state === "stopped") {
    const { heirOf } = await import("../state/cgroup_heir.ts");
    if (heirOf(directory, found, cgroup) !== undefined) {
      if (options.all) return;
      throw notRunning();
    }
  }
  const members = await membersOf(runtime, found.status);
  const pids = members();
  if (signal === SIGKILL) {
    if (found.state !== "stopped") signalInit(runtime, found.status, SIGKILL);
    await cgroup.killAll();
  } else {
    for (const pid of pids) {
      await runtime.turn();
      signalMember(runtime, members, pid, signal);
    }
  }
  if (found.state === "stopped" && pids.length === 0 && !options.all) throw notRunning();
}

/** A pid may be that of another process by now: it must still be a member. */
function signalMember(
  { helper }: LoadedRuntime,
  members: () => number[],
  pid: number,
  signal: number,
): void {
  let pidfd = -1;
  try {
    pidfd = helper.openPidfd(pid);
    if (members().includes(pid)) helper.sendSignal(pidfd, signal);
  } catch (error) {
    if (errnoOf(error) !== ESRCH) throw error;
  } finally {
    if (pidfd >= 0) helper.close(pidfd);
  }
}
