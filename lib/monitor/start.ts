/** Starting a monitor, and what it is told before anything else. */

import { ownCommand } from "../base/own_command.ts";
import { RuntsError } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import type { Undo } from "../base/undo.ts";
import { Monitor } from "../body/monitor_client.ts";
import type { Command } from "../wire/body.ts";
import type { CgroupManager, CgroupRecord } from "../cgroup/manager.ts";
import { bootId } from "../runtime/host.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import { readStat } from "../state/liveness.ts";
import type { MonitorRecord } from "../state/supervised.ts";
import { monitorCalls } from "../../ffi/monitor.ts";
import { type CgroupName, enterCgroup, monitorCgroup } from "./cgroup.ts";
import { endMonitor } from "./end.ts";
import { monitorSocket } from "./places.ts";

/** How long it stays when it has nothing to hold, in ms. */
const IDLE = 60_000;
/** Variables of the caller that the command gets which the monitor runs. */
const PASSED =
  /^(PATH|HOME|USER|LANG|LC_\w+|TMPDIR|XDG_RUNTIME_DIR|DBUS_\w+_BUS_ADDRESS|DENO_\w+|RUNTS_BRAIN)=/;

/** A monitor that has just been started, or that there was. */
interface Started {
  readonly monitor: Monitor;
  readonly record: MonitorRecord;
}

/**
 * Starts a monitor in a cgroup of its own.
 *
 * @param name of its cgroup, by that of the container's
 * @param note called with what is known of it, before it is started and again when it runs
 */
export async function startMonitor(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  container: CgroupRecord,
  undo: Undo,
  note: (record: MonitorRecord) => void,
  name?: CgroupName,
): Promise<Started> {
  const boot = runtime.host.get(bootId);
  const cgroup = await monitorCgroup(runtime, directory.id, container, name);
  const recordOf = (pid: number, startTime: number) => ({
    pid,
    startTime,
    bootId: boot,
    ...(cgroup && { cgroup: cgroup.record }),
  });
  note(recordOf(0, 0));
  undo.add(() => endMonitor(runtime, directory));
  const { monitor, pid } = await start(runtime, directory);
  undo.add(() => monitor[Symbol.dispose]());
  const startTime = readStat(pid)?.startTime;
  if (startTime === undefined) throw new RuntsError("the monitor ended as it was started");
  const early = recordOf(pid, startTime);
  note(early);
  await settleIn(runtime, cgroup, pid);
  const record = recordOf(pid, startTime);
  if (JSON.stringify(record) !== JSON.stringify(early)) note(record);
  await monitor.command(commandFor(runtime, directory));
  return { monitor, record };
}

async function start(
  { helper, body }: LoadedRuntime,
  directory: StateDirectory,
): Promise<{ monitor: Monitor; pid: number }> {
  const path = monitorSocket(directory);
  removeQuietly(path); // of a monitor that there was
  const listening = monitorCalls().listen(path, 0o600);
  try {
    const options = { listening, idleMs: IDLE, title: directory.id };
    const monitor = await Monitor.start(helper, options, body);
    return { monitor, pid: (await monitor.hello()).pid };
  } finally {
    helper.close(listening);
  }
}

async function settleIn(
  runtime: LoadedRuntime,
  cgroup: CgroupManager | undefined,
  pid: number,
): Promise<void> {
  if (cgroup !== undefined) await enterCgroup(runtime, cgroup, pid);
}

/** What follows of an end is for a command to do: whoever made the container may be gone by then. */
function commandFor({ root, caller }: LoadedRuntime, { id }: StateDirectory): Command {
  const args = [...ownCommand(), "--root", root, "settle", id];
  return {
    path: args[0]!,
    args,
    env: caller.environment().filter((entry) => PASSED.test(entry)),
    directory: "/",
  };
}
