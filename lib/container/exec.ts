/** `exec`: one more process in a container that runs. */

import { type Helper, loadHelper } from "../../ffi/helper.ts";
import { parseSubCgroups } from "../cgroup/below.ts";
import { freezerOfJoin } from "../cgroup/freezer.ts";
import type { CgroupJoin } from "../cgroup/manager.ts";
import { isRuntsError, quote, RuntsError } from "../base/errors.ts";
import { planExec } from "../plan/exec.ts";
import type { Plan } from "../plan/plan.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import type { Process, Spec } from "../spec/types/config.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { OCI_VERSION } from "../base/version.ts";
import { sendPidfd, writePidFile } from "../caller/pid_file.ts";
import { checkConsole, connectConsole } from "../caller/console_socket.ts";
import { lacksMaps } from "../userns/id_maps.ts";
import { cgroupOf, whoPauses } from "../state/cgroup.ts";
import { inCommand } from "../base/command.ts";
import { readCopy } from "../state/config_copy.ts";
import { execProcess } from "../caller/exec_process.ts";
import { SignalForwarding, Terminal, waitForExit } from "../caller/foreground.ts";
import { checkPreserved, isSetgroupsDenied, planHost } from "../host/facts.ts";
import type { Answers, InitProcess } from "../init/conversation.ts";
import { openInit } from "./kill.ts";
import { namespacesToJoin } from "../init/namespaces_of.ts";
import { seccompFilter } from "../seccomp/filter.ts";
import { spawnInit } from "../init/spawn.ts";
import { callerSize } from "../caller/terminal_size.ts";
import { traceLine, warningLine } from "../init/trace.ts";
import type { ExecOptions, GlobalOptions } from "../caller/options.ts";

/** Exit code of an exec that failed itself, as runc has it. */
const EXEC_FAILED = 255;

/** A process that runs in a container. */
interface Executed {
  readonly pid: number;
  /** Its pidfd; the owner of this object closes it. */
  readonly pidfd: number;
}

/** Runs a process in a container. Gives the program's exit code, or 0 when detached. */
export async function exec(global: GlobalOptions, options: ExecOptions): Promise<number> {
  try {
    return await inCommand("exec", options.id, () => execute(global, options));
  } catch (error) {
    throw isRuntsError(error) ? error.with({ exitCode: EXEC_FAILED }) : error;
  }
}

async function execute(global: GlobalOptions, options: ExecOptions): Promise<number> {
  const directory = new StateDirectory(global.root, options.id);
  const found = inspect(directory);
  refuseExec(found, options);
  const spec = readCopy(directory);
  const process = await processOf(spec, options);
  const foreground = process.terminal === true && !options.detach && !options.consoleSocket;
  if (!foreground) checkConsole({ ...spec, process }, options.consoleSocket);
  const helper = await loadHelper();
  const terminal = foreground ? new Terminal(helper) : undefined;
  if (options.adoptOrphans && !options.detach) helper.setSubreaper(true);
  let signals: SignalForwarding | undefined;
  // The handlers are set while init is at work.
  const spawned = () => {
    if (!options.detach) signals = new SignalForwarding(helper);
  };
  try {
    const console = terminal && { console: terminal.socket, ready: () => terminal.take() };
    const request = { helper, global, options, found, spec, process, spawned, ...console };
    const executed = await spawnIn(request);
    try {
      await announce(helper, options, executed, async () => await terminal?.connect(signals));
      if (options.detach) return 0;
      signals?.to(executed.pidfd);
      return (await waitForExit(helper, executed, options.adoptOrphans)).code;
    } finally {
      helper.close(executed.pidfd);
    }
  } finally {
    await terminal?.disconnect(); // until then signals may ask it to end
    signals?.stop();
  }
}

async function processOf(spec: Spec, options: ExecOptions): Promise<Process> {
  if (options.process?.isWellFormed() !== false) return execProcess(spec, options);
  // Deno cannot open a file by a path that is not UTF-8.
  const helper = await loadHelper();
  const fd = helper.open(options.process, 0);
  try {
    return execProcess(spec, { ...options, process: `/proc/self/fd/${fd}` });
  } finally {
    helper.close(fd);
  }
}

/** A process that the caller cannot be told of, or not be joined to, does not stay. */
async function announce(
  helper: Helper,
  options: ExecOptions,
  { pid, pidfd }: Executed,
  join: () => Promise<void>,
): Promise<void> {
  try {
    await join();
    // The file last: it outlasts a failure.
    if (options.pidfdSocket) await sendPidfd(helper, options.pidfdSocket, pidfd, "setns");
    if (options.pidFile !== undefined) writePidFile(helper, options.pidFile, pid);
  } catch (error) {
    try {
      helper.sendSignal(pidfd, SIGKILL);
    } catch {
      // it has ended
    }
    throw error;
  }
}

/** Throws when no process can be started in it now. */
export function refuseExec({ state, status }: Inspection, options: ExecOptions): void {
  if (state === "stopped") throw new RuntsError("cannot exec in a stopped container");
  if (state === "creating") {
    throw new RuntsError("cannot exec in a container that is being created");
  }
  if (state === "paused" && !options.ignorePaused) {
    throw new RuntsError(
      "cannot exec in a paused container (use --ignore-paused to override)",
      whoPauses(state, status),
    );
  }
}

/** A cgroup below the container's, or one that init was moved to, may be frozen by itself. */
function refuseFrozenJoin(join: CgroupJoin): void {
  const freezer = freezerOfJoin(join);
  if (freezer === undefined) return;
  throw new RuntsError("enter the container's cgroup", {
    cause: `cgroup ${quote(freezer)} is frozen`,
    hint: "thaw it, or use --ignore-paused to wait for that",
  });
}

/** All that starting a process in a container takes. */
interface SpawnIn {
  readonly helper: Helper;
  readonly global: GlobalOptions;
  readonly options: ExecOptions;
  readonly found: Inspection;
  readonly spec: Spec;
  readonly process: Process;
  /** Connected socket for the terminal's master; else that of the options is connected. */
  readonly console?: number;
  /** Called when init is at work. */
  readonly spawned?: () => void;
  /** Called when nothing but the program's execution is left. */
  readonly ready?: () => Promise<void>;
}

/** Starts the process; it has been executed when this returns. */
export async function spawnIn(request: SpawnIn): Promise<Executed> {
  const { helper, options } = request;
  const container = openInit(helper, request.found.status);
  let socket = request.console;
  let init: InitProcess | undefined;
  try {
    if (options.consoleSocket) socket ??= await connectConsole(helper, options.consoleSocket);
    const plan = await planFor(request, socket !== undefined);
    for (const warning of plan.warnings) request.global.warn?.(warning);
    init = spawnInit(helper, {
      plan,
      own: { pidfd: container, ...(socket !== undefined && { console: socket }) },
      stdio: options.stdio,
      trace: request.global.debug !== undefined,
      preserve: options.preserveFds ?? 0,
    });
    request.spawned?.();
    await init.converse(answers(request, plan), "executed");
    await init.finish();
    return { pid: init.pid, pidfd: init.pidfd };
  } catch (error) {
    await init?.abort();
    throw error;
  } finally {
    helper.close(container);
    if (socket !== undefined && request.console === undefined) helper.close(socket);
  }
}

async function planFor(request: SpawnIn, console: boolean): Promise<Plan> {
  const { helper, options, process, found: { status } } = request;
  const spec = await mapped(request.spec, status.pid);
  const cgroup = await cgroupOf(status);
  const join = cgroup.joinFiles(parseSubCgroups(options.cgroup), status.pid);
  if (!options.ignorePaused) refuseFrozenJoin(join);
  const preserveFds = options.preserveFds ?? 0;
  checkPreserved(helper, preserveFds);
  const size = console ? callerSize(helper) : undefined;
  const seccomp = await seccompFilter(spec, request.global.root);
  return planExec({
    id: options.id,
    spec,
    process,
    host: { ...planHost(cgroup.record), setgroupsDenied: isSetgroupsDenied(status.pid) },
    cgroup: join,
    console,
    preserveFds,
    noNewKeyring: true,
    ...namespacesToJoin(status.pid),
    ...(size && { consoleSize: size }),
    ...(seccomp && { seccomp }),
  });
}

/** With the id maps that `create` chose, where the configuration gives none. */
async function mapped(spec: Spec, pid: number): Promise<Spec> {
  if (!lacksMaps(spec)) return spec;
  const { withMapsOf } = await import("../userns/default_maps.ts");
  return withMapsOf(pid, spec);
}

function answers(request: SpawnIn, plan: Plan): Answers {
  const { helper, global, options, found, spec, ready } = request;
  const { debug, warn } = global;
  const { status, state } = found;
  let pid = 0;
  return {
    pid: (newest) => pid = newest,
    ...(ready && { ready }),
    cgroup: async (newest) =>
      await (await cgroupOf(status)).attach(newest, parseSubCgroups(options.cgroup), status.pid),
    notify: async (pidfd, fd) => {
      const { passOnListener } = await import("../seccomp/listener.ts");
      const document = {
        ociVersion: OCI_VERSION,
        id: options.id,
        status: state,
        pid: status.pid,
        bundle: status.bundle,
        annotations: spec.annotations ?? {},
      };
      await passOnListener(helper, spec.linux?.seccomp, { pid, pidfd, fd, state: document });
    },
    warning: (record) => warn?.(warningLine(record, plan.ops)),
    ...(debug && { trace: async (record) => debug(await traceLine(record, plan.ops)) }),
  };
}
