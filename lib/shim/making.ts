/** Making what a task has: its container, and further processes. */

import type { ShimMonitor } from "../body/shim_monitor.ts";
import { openBundle } from "../caller/bundle.ts";
import { execProcess } from "../caller/exec_process.ts";
import { createLocked } from "../container/create.ts";
import type { Attendant } from "../container/creation_parts.ts";
import { refuseExec, spawnIn } from "../container/exec.ts";
import { type LoadedRuntime, withSettings } from "../runtime/runtime.ts";
import { cgroupOf } from "../state/cgroup.ts";
import { readCopy } from "../state/config_copy.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import type { Process, Spec } from "../spec/types/config.ts";
import type { ProcessName } from "../state/process_record.ts";
import type { Decoded } from "../wire/protobuf.ts";
import { monitored, monitorName, TaskAttendant, TaskExecAttendant } from "./attend.ts";
import type { EventsClient } from "./events.ts";
import type { CREATE } from "./messages.ts";
import type { TaskOptions } from "./options.ts";
import { STATE_ROOT } from "./places.ts";
import type { GroupFiles, Io, MakeOptions, ProcessEntry, TaskEntry } from "./record.ts";
import { type OpenStreams, openStreams } from "./stdio.ts";

/** `SLICE:PREFIX:NAME`: nothing else tells that systemd is to make the cgroup. */
const SYSTEMD_PATH = /^[^/:]*:[^/:]*:[^/:]+$/;

/** What the tasks of one monitor share. */
export interface Pod {
  readonly namespace: string;
  readonly files: GroupFiles;
  readonly events: EventsClient;
  readonly monitor: ShimMonitor;
  readonly monitorProcess: ProcessName;
  /** With the helper library; each task has its state root beside it. */
  readonly runtime: LoadedRuntime;
}

/** A task for which something is made. */
export interface Making {
  readonly pod: Pod;
  readonly runtime: LoadedRuntime;
  readonly entry: TaskEntry;
}

/** What is written down of a task that is going to be made. */
export function newEntry(
  { namespace }: Pod,
  { id, bundle, stdin, stdout, stderr, terminal, checkpoint }: Decoded<typeof CREATE>,
  options: TaskOptions,
): TaskEntry {
  const { root, ioUid, ioGid } = options;
  return {
    id,
    bundle,
    root: `${root || STATE_ROOT}/${namespace}`,
    ioUid,
    ioGid,
    phase: "creating",
    ...(checkpoint !== "" && { restore: { image: checkpoint, options } }),
    init: { io: { stdin, stdout, stderr, terminal }, state: "created", pid: 0 },
    execs: {},
    outbox: [],
    oomTold: 0,
  };
}

/**
 * Makes the container, whose init waits then; gives its pid.
 *
 * @param by who makes its first process beside the monitor
 */
export async function makeContainer(
  making: Making,
  { noPivot, noNewKeyring, systemdCgroup }: MakeOptions,
  by: (monitor: Attendant) => Attendant = (monitor) => monitor,
): Promise<number> {
  const { pod: { monitor, monitorProcess }, entry: { id, bundle: path, init } } = making;
  const create = {
    id,
    bundle: path,
    ...(noPivot && { noPivot }),
    ...(noNewKeyring && { noNewKeyring }),
  };
  const bundle = await openBundle(making.runtime, create);
  const bySystemd = systemdCgroup || SYSTEMD_PATH.test(bundle.spec.linux?.cgroupsPath ?? "");
  const runtime = bySystemd
    ? withSettings(making.runtime, { cgroupManager: "systemd" })
    : making.runtime;
  const streams = await openFor(making, "", init);
  try {
    const attendant = new TaskAttendant({ id, execId: "", monitor, monitorProcess, streams });
    const options = { ...create, ...targets(streams) };
    return await createLocked(runtime, options, bundle, by(attendant), ({ pid, pidfd }) => {
      runtime.helper.close(pidfd);
      return Promise.resolve(pid);
    });
  } finally {
    streams.close();
  }
}

/** All that starting a process in a container takes, and that is known once it is registered. */
export interface PreparedExec {
  readonly spec: Spec;
  readonly process: Process;
  readonly streams: OpenStreams;
}

/** Its streams are the receiver's to close. */
export async function prepareExec(
  making: Making,
  execId: string,
  exec: ProcessEntry,
): Promise<PreparedExec> {
  const { runtime, entry: { id } } = making;
  const opened = openFor(making, execId, exec); // while the rest is read
  try {
    const spec = readCopy(new StateDirectory(runtime, id));
    const { caller, files } = runtime;
    const given = { caller, files: { ...files, read: () => exec.spec ?? "{}" } };
    const process = await execProcess(given, spec, {
      id,
      process: "process.json",
      ...(exec.io.terminal && { terminal: true }),
    });
    return { spec, process, streams: await opened };
  } catch (error) {
    opened.then((streams) => streams.close(), () => {});
    throw error;
  }
}

/** Whether its streams are opened without waiting for anybody, and nothing is started for them. */
export function isOpenedAtOnce({ io: { stdin, stdout, stderr } }: ProcessEntry): boolean {
  return [stdin, stdout, stderr].every((name) => !name.includes("://"));
}

/** Starts one more process in the container; gives its pid. Its streams are closed here. */
export async function spawnExec(
  making: Making,
  execId: string,
  { spec, process, streams }: PreparedExec,
): Promise<number> {
  const { pod: { monitor, monitorProcess }, entry: { id } } = making;
  try {
    const directory = new StateDirectory(making.runtime, id);
    const found = inspect(directory);
    refuseExec(making.runtime, found, { id });
    const cgroup = (await cgroupOf(making.runtime, found.status)).record;
    const wanted = { id, execId, monitor, monitorProcess, streams };
    const runtime = monitored(making.runtime, wanted);
    const attendant = new TaskExecAttendant(runtime, directory, cgroup, wanted, process);
    const options = { id, ...targets(streams) };
    const { pid, pidfd } = await spawnIn({ runtime, options, found, spec, process, attendant });
    try {
      await attendant.watched;
    } catch (error) {
      runtime.helper.sendSignal(pidfd, SIGKILL);
      throw error;
    } finally {
      runtime.helper.close(pidfd);
    }
    return pid;
  } finally {
    streams.close();
  }
}

async function openFor(
  { pod: { monitor, namespace }, runtime: { helper }, entry: { id, ioUid, ioGid } }: Making,
  execId: string,
  process: { readonly io: Io; logger?: number },
): Promise<OpenStreams> {
  const name = monitorName(id, execId);
  const context = { helper, monitor, namespace, id, name, ioUid, ioGid };
  const streams = await openStreams(context, process.io);
  if (streams.logger !== undefined) process.logger = streams.logger;
  return streams;
}

function targets({ stdio }: OpenStreams): { stdin?: number; stdout?: number; stderr?: number } {
  if (stdio === undefined) return {};
  const [stdin, stdout, stderr] = stdio;
  return { stdin, stdout, stderr };
}
