/** `start`: releases init from its fifo and learns whether the program was executed. */

import { O_NONBLOCK, O_WRONLY } from "../base/linux.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { ENOENT, ENXIO, EPIPE } from "../base/errno.ts";
import { errnoOf, quote, reason, RuntsError } from "../base/errors.ts";
import { runHooks } from "../hooks/runtime_hooks.ts";
import { StateDirectory } from "../state/directory.ts";
import { type Begun, begunStart } from "../state/begun.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { readStat } from "../state/liveness.ts";
import { DAMAGED, type Status } from "../state/status.ts";
import { Message, parseRecord, RECORD_HEADER } from "../wire/messages.ts";
import { whoPauses } from "../state/cgroup.ts";
import { isSupervised } from "../monitor/places.ts";
import { inCommand } from "../runtime/command.ts";
import { readCopyIfAny } from "../state/config_copy.ts";
import type { Created } from "./create.ts";
import type { Spec } from "../spec/types/config.ts";
import { removeThis } from "./delete.ts";
import { documentOf } from "../state/document.ts";
import { howInitEnded, wasMute } from "../init/how_it_ended.ts";
import { openInit } from "./kill.ts";
import { withLock } from "../state/lock.ts";
import { bindNotifySocket, passOnReady } from "../caller/readiness.ts";
import type { ChangeOptions, WaitOptions } from "../caller/options.ts";

/** How long start waits for the result before it looks at init itself, in ms. */
const LOOK_AGAIN = 1_000;
/** How long an init whose fifo is closed may take to exit, in ms. */
const EXIT_TIMEOUT = 1_000;

/** Runs the program of a created container. Returns once it was executed and is ready. */
export function start(given: RuntimeOrSettings, options: ChangeOptions): Promise<void> {
  return inCommand(given, "start", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    const begun = begunStart();
    if (begun !== undefined) return await goOn(await load(unloaded), directory, begun);
    refuseUnlessCreated(unloaded, inspect(directory));
    const runtime = await load(unloaded);
    const body = () => startLocked(runtime, directory, options);
    const started = await withLock(runtime, directory, body, options.signal);
    await started.poststart();
    await started.ready();
  }, options.signal);
}

/** Takes over from the front, which knows containers only that have no hooks to run after start. */
async function goOn(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  { lock, result, pidfd }: Begun,
): Promise<void> {
  try {
    const { status } = inspect(directory);
    await awaitExecution(runtime, result, pidfd, status);
  } finally {
    removeFifo(runtime, directory);
    for (const fd of [result, pidfd, lock]) runtime.helper.close(fd);
  }
}

/** A container whose program was executed. What is left of its start needs no lock. */
interface Started {
  /** Runs the hooks, which may call runts themselves; when one fails, the container is deleted. */
  poststart(): Promise<void>;
  /**
   * After that, waits for the container's readiness message, which may take long. What goes wrong
   * is a warning, for the program runs.
   */
  ready(): Promise<void>;
}

/** What starting takes beside the container. */
interface StartOptions extends WaitOptions {
  /** pidfd of init, when the caller has just made it. */
  readonly child?: number;
  /** What the caller has just made, whose lock it has held ever since. */
  readonly created?: Created;
  /** Ends the container whose poststart hook has failed; by default it is deleted. */
  readonly hookFailed?: (error: unknown) => Promise<void>;
}

/**
 * The same, for a verb that holds the lock already. A wait that a signal ends leaves the container to itself:
 * its program runs, or is about to.
 */
export async function startLocked(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  { created, child = created?.pidfd, signal, hookFailed }: StartOptions = {},
): Promise<Started> {
  const { helper, warn } = runtime;
  const status = created?.status ?? await statusToStart(runtime, directory, child);
  // Whatever happens to a child, its pid is its own until it is reaped.
  const pidfd = child === undefined ? openInit(runtime, status) : helper.openPidfd(status.pid);
  let notify: number | undefined;
  const close = () => {
    helper.close(pidfd);
    if (notify !== undefined) helper.close(notify);
  };
  const closeAfter = <T>(work: Promise<T>) =>
    work.catch((error) => {
      close();
      throw error;
    });
  const begin = async () => {
    notify = bindNotifySocket(runtime, directory);
    await runtime.timed(
      "let init go, until it has executed the program",
      () => release(runtime, directory, status, pidfd, signal),
    );
    if (!isSupervised(directory)) return;
    const { tellStarted } = await import("../monitor/tell.ts");
    await tellStarted(runtime, directory, status.pid);
  };
  await closeAfter(begin());
  return {
    poststart: () => {
      const spec = created?.spec ?? readCopyIfAny(directory);
      return closeAfter(poststart(runtime, directory, status, spec, hookFailed));
    },
    ready: async () => {
      try {
        const init = { pid: status.pid, pidfd };
        if (notify !== undefined) await passOnReady(runtime, notify, init, signal);
      } catch (error) {
        if (signal?.aborted) throw error;
        warn(reason(error));
      } finally {
        close();
      }
    },
  };
}

async function statusToStart(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  child: number | undefined,
): Promise<Status> {
  const found = inspect(directory);
  if (child !== undefined) await refuseEnded(runtime, found, child);
  return refuseUnlessCreated(runtime, found);
}

/** What was made is there, unless somebody has killed it. */
async function refuseEnded(
  runtime: LoadedRuntime,
  { state, status }: Inspection,
  pidfd: number,
): Promise<void> {
  if (state === "stopped") throw await endedEarly(runtime, status, pidfd);
}

async function endedEarly(
  runtime: LoadedRuntime,
  status: Status,
  pidfd: number,
): Promise<RuntsError> {
  await hasExited(runtime, pidfd);
  return new RuntsError("init ended before it was started", {
    hint: await howInitEnded(runtime, status, pidfd),
  });
}

function hasExited({ helper }: LoadedRuntime, pidfd: number): Promise<boolean> {
  return helper.awaitExit(pidfd, { timeoutMs: EXIT_TIMEOUT });
}

function refuseUnlessCreated(runtime: Runtime, { state, status }: Inspection): Status {
  if (state === "created") return status;
  if (state === "running") throw new RuntsError("cannot start an already running container");
  if (state === "stopped") throw new RuntsError("cannot start a container that has stopped");
  throw new RuntsError(
    `cannot start a container in the ${state} state`,
    whoPauses(runtime, state, status),
  );
}

/**
 * Opens the fifo without ever blocking and writes the byte that init waits for. The fifo goes last:
 * whenever runts is killed, the container can still be started, or else is seen to run.
 */
async function release(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  status: Status,
  pidfd: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { helper } = runtime;
  const result = openResult(runtime, directory);
  try {
    const fifo = await openFifo(runtime, directory, status, pidfd);
    try {
      await letGo(runtime, fifo, status, pidfd);
    } finally {
      helper.close(fifo);
    }
    try {
      if (result !== undefined) await awaitExecution(runtime, result, pidfd, status, signal);
    } finally {
      removeFifo(runtime, directory);
    }
  } finally {
    if (result !== undefined) helper.close(result);
  }
}

/** crun's containers have no result fifo. */
function openResult(
  { helper }: LoadedRuntime,
  directory: StateDirectory,
): number | undefined {
  const path = directory.file("result.fifo");
  try {
    if (Deno.lstatSync(path).isFifo) return helper.open(path, O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === ENOENT) return undefined;
    throw error;
  }
  throw new RuntsError(`read ${quote(path)}`, { cause: "it is not a fifo", hint: DAMAGED });
}

async function openFifo(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  status: Status,
  pidfd: number,
): Promise<number> {
  try {
    return runtime.helper.open(directory.file("exec.fifo"), O_WRONLY | O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== ENXIO) throw error;
    // A process closes its files a moment before it counts as ended.
    if (await hasExited(runtime, pidfd)) throw await endedEarly(runtime, status, pidfd);
    throw new RuntsError(`init (pid ${status.pid}) does not wait to be started`, {
      hint: readStat(status.pid)?.executed
        ? "another start was quicker"
        : `nobody reads ${quote(directory.file("exec.fifo"))}: ${DAMAGED}`,
    });
  }
}

async function letGo(
  runtime: LoadedRuntime,
  fifo: number,
  status: Status,
  pidfd: number,
): Promise<void> {
  try {
    runtime.helper.write(fifo, new Uint8Array([0]));
  } catch (error) {
    if (errnoOf(error) !== EPIPE) throw error;
    throw await endedEarly(runtime, status, pidfd);
  }
}

/** The program runs whether or not it can be removed; crun would take it for a created container. */
function removeFifo({ warn }: LoadedRuntime, directory: StateDirectory): void {
  const path = directory.file("exec.fifo");
  try {
    Deno.removeSync(path);
  } catch (error) {
    warn(`remove ${quote(path)}: ${reason(error)}`);
  }
}

/** Init closes the result fifo by executing the program, or writes why it could not. */
async function awaitExecution(
  runtime: LoadedRuntime,
  result: number,
  pidfd: number,
  status: Status,
  signal?: AbortSignal,
): Promise<void> {
  const { helper } = runtime;
  let announced = false;
  for (;;) {
    const ready = await helper.awaitFds([result, pidfd], { timeoutMs: LOOK_AGAIN, signal });
    // Nothing comes through a fifo that is not init's.
    if (ready.length === 0 && await wasExecuted(runtime, status, pidfd, false)) return;
    let bytes = helper.readAvailable(result, 64 * 1024);
    if (bytes instanceof Uint8Array && parseRecord(bytes).type === Message.executing) {
      announced = true;
      bytes = bytes.length > RECORD_HEADER ? bytes.subarray(RECORD_HEADER) : "again";
    }
    if (bytes instanceof Uint8Array) {
      await hasExited(runtime, pidfd); // so that the state is "stopped" from now on
      const { describeFailure } = await import("../plan/failure.ts");
      throw describeFailure(parseRecord(bytes), status.startOps ?? []);
    }
    if (bytes !== "eof" && !ready.includes(pidfd)) continue;
    if (await wasExecuted(runtime, status, pidfd, announced)) return;
    await hasExited(runtime, pidfd);
    throw new RuntsError("init ended before it executed the program", {
      hint: await howInitEnded(runtime, status, pidfd),
    });
  }
}

/**
 * The end of the fifo is the execution, or the death of init. As long as nobody has reaped it, the
 * kernel knows which of the two. Afterwards, what init had announced is taken for done: whether it
 * was killed within execve(2) or before the program's first instruction makes no difference. But for
 * a filter that refuses execve(2) and all else.
 */
async function wasExecuted(
  runtime: LoadedRuntime,
  status: Status,
  pidfd: number,
  announced: boolean,
): Promise<boolean> {
  const stat = readStat(status.pid);
  if (stat?.startTime === status.startTime) return stat.executed;
  return announced && !await wasMute(runtime, status, pidfd);
}

/** Since 1.3 of the specification a poststart hook that fails ends the container. */
async function poststart(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  status: Status,
  spec: Spec | undefined,
  failed: StartOptions["hookFailed"] = () => removeThis(runtime, directory, status.pid),
): Promise<void> {
  if (!spec?.hooks?.poststart?.length) return;
  const state = documentOf({ id: directory.id, status, copy: spec }, "running", status.pid);
  try {
    await runHooks(runtime, "poststart", spec, state);
  } catch (error) {
    await failed(error).catch((also) =>
      runtime.warn(`clean up ${quote(directory.id)}: ${reason(also)}`)
    );
    throw error;
  }
}
