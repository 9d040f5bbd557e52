/** `exec`: one more process in a container that runs. */

import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { parseSubCgroups } from "../cgroup/below.ts";
import { freezerOfJoin } from "../cgroup/freezer.ts";
import type { Child } from "../body/body.ts";
import type { CgroupJoin, CgroupRecord } from "../cgroup/manager.ts";
import { isRuntsError, quote, RuntsError } from "../base/errors.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { planExec } from "../plan/exec.ts";
import type { Plan } from "../plan/plan.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import type { Process, Spec } from "../spec/types/config.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { documentOf } from "../state/document.ts";
import { readStat } from "../state/liveness.ts";
import type { ProcessName } from "../state/process_record.ts";
import { sendPidfd, writePidFile } from "../caller/pid_file.ts";
import { checkConsole, connectConsole } from "../caller/console_socket.ts";
import { withMaps } from "../userns/id_maps.ts";
import { cgroupOf, whoPauses } from "../state/cgroup.ts";
import { inCommand } from "../runtime/command.ts";
import { readCopy } from "../state/config_copy.ts";
import { execProcess } from "../caller/exec_process.ts";
import { Attachment } from "../caller/foreground.ts";
import { checkPreserved, isSetgroupsDenied, planHost } from "../host/facts.ts";
import type { Answers, InitProcess } from "../init/conversation.ts";
import { openInit } from "./kill.ts";
import { namespacesToJoin } from "../init/namespaces_of.ts";
import { seccompFilter } from "../seccomp/filter.ts";
import { spawnInit, startEarly } from "../init/spawn.ts";
import { tracing, warningLine } from "../init/trace.ts";
import type { ExecOptions } from "../caller/options.ts";

/** Exit code of an exec that failed itself, as runc has it. */
const EXEC_FAILED = 255;

/** A process that is made, rather than what options say, and what it has of the container. */
export interface MadeProcess {
  readonly process: Process;
  /** The container's configuration as far as it counts for the process. */
  readonly spec: Spec;
  /** CLONE_NEW* of the namespaces that it enters, of those that there are. Default: all. */
  readonly within?: number;
  /** It stays in the cgroup of the caller. */
  readonly staysOutside?: true;
  /** /proc and /sys are mounted anew for it, in a mount namespace of its own. */
  readonly remounts?: true;
  /** A file that what its terminal shows is added to. */
  readonly terminalLog?: string;
}

/** Makes the process from the configuration of the container, whatever the options say. */
type MakeProcess = (spec: Spec, pid: number) => MadeProcess;

/** Runs a process in a container. Gives the program's exit code, or 0 when detached. */
export function exec(given: RuntimeOrSettings, options: ExecOptions): Promise<number> {
  return execMade(given, options, undefined);
}

/** The same for a process that is made, rather than what the options say. */
export async function execMade(
  given: RuntimeOrSettings,
  options: ExecOptions,
  make: MakeProcess | undefined,
): Promise<number> {
  try {
    return await inCommand(
      given,
      "exec",
      options.id,
      (runtime) => execute(runtime, options, make),
      options.signal,
    );
  } catch (error) {
    throw isRuntsError(error) ? error.with({ exitCode: EXEC_FAILED }) : error;
  }
}

async function execute(
  unloaded: Runtime,
  options: ExecOptions,
  make: MakeProcess | undefined,
): Promise<number> {
  startEarly(unloaded, options, options.preserveFds ?? 0);
  const directory = new StateDirectory(unloaded, options.id);
  const found = inspect(directory);
  refuseExec(unloaded, found, options);
  const copy = readCopy(directory);
  const made = make?.(copy, found.status.pid) ??
    { spec: copy, process: await processOf(unloaded, copy, options) };
  const { spec, process } = made;
  const terminal = process.terminal === true && !options.detach && !options.consoleSocket;
  if (!terminal) checkConsole({ ...spec, process }, options.consoleSocket);
  const runtime = await load(unloaded);
  const request = { runtime, options, found, ...made };
  if (options.detach) {
    const executed = await spawnIn(request);
    try {
      await announce(runtime, options, executed);
      return 0;
    } finally {
      runtime.helper.close(executed.pidfd);
    }
  }
  const adoptOrphans = options.adoptOrphans === true;
  const { terminalLog: log } = made;
  const foreground = await Attachment.open(runtime, {
    terminal,
    adoptOrphans,
    ...(log !== undefined && { log }),
  });
  try {
    const executed = await spawnIn({ ...request, attendant: foreground });
    try {
      await announce(runtime, options, executed, () => foreground.join());
      foreground.forwardTo(executed.pidfd);
      const { code } = await foreground.wait(executed, options.signal);
      options.signal?.throwIfAborted();
      return code;
    } finally {
      runtime.helper.close(executed.pidfd);
    }
  } finally {
    await foreground.end();
  }
}

async function processOf(runtime: Runtime, spec: Spec, options: ExecOptions): Promise<Process> {
  if (options.process?.isWellFormed() !== false) return await execProcess(runtime, spec, options);
  // Deno cannot open a file by a path that is not UTF-8.
  const { helper, body } = await load(runtime);
  const fd = await body.open(options.process, 0);
  try {
    return await execProcess(runtime, spec, { ...options, process: ownDescriptor(fd) });
  } finally {
    helper.close(fd);
  }
}

/** A process that the caller cannot be told of, or not be joined to, does not stay. */
async function announce(
  runtime: LoadedRuntime,
  options: ExecOptions,
  { pid, pidfd }: Child,
  join?: () => Promise<void>,
): Promise<void> {
  try {
    await join?.();
    // The file last: it outlasts a failure.
    if (options.pidfdSocket) await sendPidfd(runtime, options.pidfdSocket, pidfd, "setns");
    if (options.pidFile !== undefined) writePidFile(runtime, options.pidFile, pid);
  } catch (error) {
    try {
      runtime.helper.sendSignal(pidfd, SIGKILL);
    } catch {
      // it has ended
    }
    throw error;
  }
}

/** Throws when no process can be started in it now. */
export function refuseExec(
  runtime: Runtime,
  { state, status }: Inspection,
  options: ExecOptions,
): void {
  if (state === "stopped") throw new RuntsError("cannot exec in a stopped container");
  if (state === "creating") {
    throw new RuntsError("cannot exec in a container that is being created");
  }
  if (state === "paused" && !options.ignorePaused) {
    throw new RuntsError(
      "cannot exec in a paused container (use --ignore-paused to override)",
      whoPauses(runtime, state, status),
    );
  }
}

/** Whether it leads to the container's own cgroup, which is not frozen, as its state says. */
function isOwn({ bornIn, files }: CgroupJoin, record: CgroupRecord | undefined): boolean {
  if (record === undefined || record.subgroup !== undefined) return false;
  const own = Object.values(record.paths);
  return (bornIn === undefined || own.includes(bornIn)) &&
    files.every((file) => own.includes(file.slice(0, file.lastIndexOf("/"))));
}

/** A cgroup below the container's, or one that init was moved to, may be frozen by itself. */
function refuseFrozenJoin(runtime: Runtime, join: CgroupJoin): void {
  const freezer = freezerOfJoin(runtime, join);
  if (freezer === undefined) return;
  throw new RuntsError("enter the container's cgroup", {
    cause: `cgroup ${quote(freezer)} is frozen`,
    hint: "thaw it, or use --ignore-paused to wait for that",
  });
}

/** Who takes part in the starting of a process beside the verb: the foreground, or a monitor. */
export interface ExecAttendant {
  /** The socket for the terminal's master; -1 where the body has one of its own. */
  readonly console?: number | undefined;
  /** Init is at work. */
  begin?(): void;
  /** Nothing but the execution of the program is left. */
  take?(process: ProcessName): Promise<void>;
}

/** All that starting a process in a container takes. */
interface SpawnIn extends MadeProcess {
  readonly runtime: LoadedRuntime;
  readonly options: ExecOptions;
  readonly found: Inspection;
  /** Absent for a process that nobody waits for. */
  readonly attendant?: ExecAttendant;
}

/** Starts the process; it has been executed when this returns. Whoever gets it closes the pidfd. */
export async function spawnIn(request: SpawnIn): Promise<Child> {
  const { runtime, options, attendant } = request;
  const { helper, warn } = runtime;
  options.signal?.throwIfAborted();
  const container = openInit(runtime, request.found.status);
  let socket = attendant?.console;
  let init: InitProcess | undefined;
  try {
    if (options.consoleSocket) socket ??= await connectConsole(runtime, options.consoleSocket);
    const plan = await runtime.timed("plan", () => planFor(request, socket !== undefined));
    for (const warning of plan.warnings) warn(warning);
    init = await spawnInit(runtime, {
      plan,
      own: { pidfd: container, ...(socket !== undefined && { console: socket }) },
      streams: options,
      preserve: options.preserveFds ?? 0,
    });
    attendant?.begin?.(); // while init is at work
    const started = init;
    await runtime.timed(
      "answer init until it has executed the program",
      () => started.converse(answers(request, plan), "executed", options.signal),
    );
    await init.finish();
    return { pid: init.pid, pidfd: init.pidfd };
  } catch (error) {
    await init?.abort();
    throw error;
  } finally {
    helper.close(container);
    if (socket !== undefined && socket !== attendant?.console) helper.close(socket);
  }
}

async function planFor(request: SpawnIn, console: boolean): Promise<Plan> {
  const { runtime, options, process, found: { status } } = request;
  const { body } = runtime;
  const spec = await withMaps(request.spec, status.pid);
  const cgroup = await cgroupOf(runtime, status);
  const join = request.staysOutside
    ? { files: [], moved: false }
    : cgroup.joinFiles(parseSubCgroups(options.cgroup), status.pid);
  if (!options.ignorePaused && !isOwn(join, status.cgroup)) refuseFrozenJoin(runtime, join);
  const preserveFds = options.preserveFds ?? 0;
  await checkPreserved(body, preserveFds);
  const size = console ? await body.terminalSize() : undefined;
  const seccomp = await seccompFilter(spec, runtime);
  const toJoin = namespacesToJoin(runtime, status.pid);
  const isInUserNamespace = (toJoin.namespaces & NAMESPACE_FLAGS.user) !== 0;
  return planExec({
    id: options.id,
    spec,
    process,
    host: {
      ...planHost(runtime, cgroup.record),
      ...(isInUserNamespace && { setgroupsDenied: isSetgroupsDenied(`/proc/${status.pid}`) }),
    },
    cgroup: join,
    console,
    preserveFds,
    noNewKeyring: true,
    ...joined(toJoin, request),
    ...(size && { consoleSize: { height: size.rows, width: size.cols } }),
    ...(seccomp && { seccomp }),
  });
}

/** Whoever does not enter the mount namespace of the container sees what the caller sees. */
function joined(
  all: ReturnType<typeof namespacesToJoin>,
  { within, remounts }: MadeProcess,
): Pick<Parameters<typeof planExec>[0], "namespaces" | "root" | "remounts"> {
  if (within === undefined) return all;
  const { root, namespaces } = all;
  const isOutside = !(within & NAMESPACE_FLAGS.mount);
  return {
    namespaces: namespaces & within,
    ...(root !== undefined && !isOutside && { root }),
    ...(isOutside && remounts && { remounts: true }),
  };
}

function answers(request: SpawnIn, plan: Plan): Answers {
  const { runtime, options, found, spec, attendant } = request;
  const { status, state } = found;
  let pid = 0;
  return {
    pid: (newest) => pid = newest,
    ready: async () => {
      if (runtime.caller.hasEnded?.()) throw new RuntsError("the caller has ended");
      await attendant?.take?.({ pid, startTime: readStat(pid)?.startTime ?? 0 });
    },
    cgroup: async (newest) =>
      await (await cgroupOf(runtime, status)).attach(
        newest,
        parseSubCgroups(options.cgroup),
        status.pid,
      ),
    notify: async (pidfd, fd) => {
      const { passOnListener } = await import("../seccomp/listener.ts");
      const document = documentOf({ id: options.id, status, copy: spec }, state, status.pid);
      await passOnListener(runtime, spec.linux?.seccomp, { pid, pidfd, fd, state: document });
    },
    warning: (record) => runtime.warn(warningLine(record, plan.ops)),
    ...tracing(runtime, plan.ops),
  };
}
