/** `start`: releases init from its fifo and learns whether the program was executed. */

import { O_NONBLOCK, O_WRONLY } from "../base/linux.ts";
import { type Helper, loadHelper } from "../../ffi/helper.ts";
import { ENOENT, ENXIO, EPIPE } from "../base/errno.ts";
import { errnoOf, quote, reason, RuntsError } from "../base/errors.ts";
import { runHooks } from "../hooks/runtime_hooks.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { readStat } from "../state/liveness.ts";
import { DAMAGED, type Status } from "../state/status.ts";
import { Message, parseRecord, RECORD_HEADER } from "../wire/messages.ts";
import { whoPauses } from "../state/cgroup.ts";
import { inCommand } from "../base/command.ts";
import { readCopyIfAny } from "../state/config_copy.ts";
import { removeThis } from "./delete.ts";
import { documentOf } from "../state/document.ts";
import { howInitEnded, wasMute } from "../init/how_it_ended.ts";
import { openInit } from "./kill.ts";
import { withLock } from "../state/lock.ts";
import { bindNotifySocket, passOnReady } from "../caller/readiness.ts";
import type { ChangeOptions, GlobalOptions } from "../caller/options.ts";

/** How long start waits for the result before it looks at init itself, in ms. */
const LOOK_AGAIN = 1_000;
/** How long an init whose fifo is closed may take to exit, in ms. */
const EXIT_TIMEOUT = 1_000;

/** Runs the program of a created container. Returns once it was executed and is ready. */
export function start(global: GlobalOptions, options: ChangeOptions): Promise<void> {
  return inCommand("start", options.id, async () => {
    const directory = new StateDirectory(global.root, options.id);
    refuseUnlessCreated(inspect(directory));
    const helper = await loadHelper();
    const body = () => startLocked(helper, global, directory);
    const started = await withLock(helper, directory, body, options.signal);
    await started.poststart();
    await started.ready();
  }, options.signal);
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

/**
 * The same, for a verb that holds the lock already.
 *
 * @param child pidfd of init, when the caller has just made it
 */
export async function startLocked(
  helper: Helper,
  global: GlobalOptions,
  directory: StateDirectory,
  child?: number,
): Promise<Started> {
  const found = inspect(directory);
  if (child !== undefined) await refuseEnded(helper, found, child);
  const status = refuseUnlessCreated(found);
  // Whatever happens to a child, its pid is its own until it is reaped.
  const pidfd = child === undefined ? openInit(helper, status) : helper.openPidfd(status.pid);
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
    notify = bindNotifySocket(helper, directory);
    await release(helper, global, directory, status, pidfd);
  };
  await closeAfter(begin());
  return {
    poststart: () => closeAfter(poststart(helper, global, directory, status)),
    ready: async () => {
      const warn = global.warn ?? (() => {});
      try {
        if (notify !== undefined) await passOnReady(helper, notify, status.pid, pidfd, warn);
      } catch (error) {
        warn(reason(error));
      } finally {
        close();
      }
    },
  };
}

/** What was made is there, unless somebody has killed it. */
async function refuseEnded(
  helper: Helper,
  { state, status }: Inspection,
  pidfd: number,
): Promise<void> {
  if (state === "stopped") throw await endedEarly(helper, status, pidfd);
}

async function endedEarly(helper: Helper, status: Status, pidfd: number): Promise<RuntsError> {
  await hasExited(helper, pidfd);
  return new RuntsError("init ended before it was started", {
    hint: await howInitEnded(helper, status, pidfd),
  });
}

function hasExited(helper: Helper, pidfd: number): Promise<boolean> {
  return helper.awaitExit(pidfd, { timeoutMs: EXIT_TIMEOUT });
}

function refuseUnlessCreated({ state, status }: Inspection): Status {
  if (state === "created") return status;
  if (state === "running") throw new RuntsError("cannot start an already running container");
  if (state === "stopped") throw new RuntsError("cannot start a container that has stopped");
  throw new RuntsError(
    `cannot start a container in the ${state} state`,
    whoPauses(state, status),
  );
}

/**
 * Opens the fifo without ever blocking and writes the byte that init waits for. The fifo goes last:
 * whenever runts is killed, the container can still be started, or else is seen to run.
 */
async function release(
  helper: Helper,
  global: GlobalOptions,
  directory: StateDirectory,
  status: Status,
  pidfd: number,
): Promise<void> {
  const result = openResult(helper, directory);
  try {
    const fifo = await openFifo(helper, directory, status, pidfd);
    try {
      await letGo(helper, fifo, status, pidfd);
    } finally {
      helper.close(fifo);
    }
    try {
      if (result !== undefined) await awaitExecution(helper, result, pidfd, status);
    } finally {
      removeFifo(global, directory);
    }
  } finally {
    if (result !== undefined) helper.close(result);
  }
}

/** crun's containers have no result fifo. */
function openResult(helper: Helper, directory: StateDirectory): number | undefined {
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
  helper: Helper,
  directory: StateDirectory,
  status: Status,
  pidfd: number,
): Promise<number> {
  try {
    return helper.open(directory.file("exec.fifo"), O_WRONLY | O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== ENXIO) throw error;
    // A process closes its files a moment before it counts as ended.
    if (await hasExited(helper, pidfd)) throw await endedEarly(helper, status, pidfd);
    throw new RuntsError(`init (pid ${status.pid}) does not wait to be started`, {
      hint: readStat(status.pid)?.executed
        ? "another start was quicker"
        : `nobody reads ${quote(directory.file("exec.fifo"))}: ${DAMAGED}`,
    });
  }
}

async function letGo(
  helper: Helper,
  fifo: number,
  status: Status,
  pidfd: number,
): Promise<void> {
  try {
    helper.write(fifo, new Uint8Array([0]));
  } catch (error) {
    if (errnoOf(error) !== EPIPE) throw error;
    throw await endedEarly(helper, status, pidfd);
  }
}

/** The program runs whether or not it can be removed; crun would take it for a created container. */
function removeFifo(global: GlobalOptions, directory: StateDirectory): void {
  const path = directory.file("exec.fifo");
  try {
    Deno.removeSync(path);
  } catch (error) {
    global.warn?.(`remove ${quote(path)}: ${reason(error)}`);
  }
}

/** Init closes the result fifo by executing the program, or writes why it could not. */
async function awaitExecution(
  helper: Helper,
  result: number,
  pidfd: number,
  status: Status,
): Promise<void> {
  let announced = false;
  for (;;) {
    const ready = await helper.awaitFds([result, pidfd], { timeoutMs: LOOK_AGAIN });
    // Nothing comes through a fifo that is not init's.
    if (ready.length === 0 && await wasExecuted(helper, status, pidfd, false)) return;
    let bytes = helper.readAvailable(result, 64 * 1024);
    if (bytes instanceof Uint8Array && parseRecord(bytes).type === Message.executing) {
      announced = true;
      bytes = bytes.length > RECORD_HEADER ? bytes.subarray(RECORD_HEADER) : "again";
    }
    if (bytes instanceof Uint8Array) {
      await hasExited(helper, pidfd); // so that the state is "stopped" from now on
      const { describeFailure } = await import("../plan/failure.ts");
      throw describeFailure(parseRecord(bytes), status.startOps ?? []);
    }
    if (bytes !== "eof" && !ready.includes(pidfd)) continue;
    if (await wasExecuted(helper, status, pidfd, announced)) return;
    await hasExited(helper, pidfd);
    throw new RuntsError("init ended before it executed the program", {
      hint: await howInitEnded(helper, status, pidfd),
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
  helper: Helper,
  status: Status,
  pidfd: number,
  announced: boolean,
): Promise<boolean> {
  const stat = readStat(status.pid);
  if (stat?.startTime === status.startTime) return stat.executed;
  return announced && !await wasMute(helper, status, pidfd);
}

/** Since 1.3 of the specification a poststart hook that fails ends the container. */
async function poststart(
  helper: Helper,
  global: GlobalOptions,
  directory: StateDirectory,
  status: Status,
): Promise<void> {
  const spec = readCopyIfAny(directory);
  if (!spec?.hooks?.poststart?.length) return;
  const state = documentOf({ id: directory.id, status, copy: spec }, "running", status.pid);
  try {
    await runHooks(helper, "poststart", spec, state);
  } catch (error) {
    await removeThis(helper, global, directory, status.pid).catch((also) =>
      global.warn?.(`clean up ${quote(directory.id)}: ${reason(also)}`)
    );
    throw error;
  }
}
