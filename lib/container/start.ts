/** `start`: releases init from its fifo and learns whether the program was executed. */

import { type Helper, loadHelper } from "../../ffi/helper.ts";
import { ENOENT, ENXIO, EPIPE } from "../errno.ts";
import { errnoOf, quote, reason, RuntsError } from "../errors.ts";
import { runHooks } from "../hooks.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import type { Status } from "../state/status.ts";
import { parseRecord } from "../sync.ts";
import { OCI_VERSION } from "../version.ts";
import { inCommand } from "./command.ts";
import { readCopyIfAny } from "./copy.ts";
import { removeThis } from "./delete.ts";
import { howInitEnded } from "./ending.ts";
import { openInit } from "./kill.ts";
import { withLock } from "./lock.ts";
import { bindNotifySocket, passOnReady } from "./notify.ts";
import type { ContainerName, GlobalOptions } from "./types.ts";

const O_WRONLY = 0o1;
const O_NONBLOCK = 0o4000;
/** How long an init whose fifo is closed may take to exit, in ms. */
const EXIT_TIMEOUT = 1_000;

/** Runs the program of a created container. Returns once it was executed and is ready. */
export function start(global: GlobalOptions, options: ContainerName): Promise<void> {
  return inCommand("start", options.id, async () => {
    const directory = new StateDirectory(global.root, options.id);
    refuseUnlessCreated(directory);
    const helper = await loadHelper();
    const started = await withLock(helper, directory, () => startLocked(helper, global, directory));
    await started.poststart();
    await started.ready();
  });
}

/** A container whose program was executed. What is left of its start needs no lock. */
export interface Started {
  /** Runs the hooks, which may call runts themselves; when one fails, the container is deleted. */
  poststart(): Promise<void>;
  /** After that, waits for the container's readiness message, which may take long. */
  ready(): Promise<void>;
}

/** The same, for a verb that holds the lock already. */
export async function startLocked(
  helper: Helper,
  global: GlobalOptions,
  directory: StateDirectory,
): Promise<Started> {
  const status = refuseUnlessCreated(directory);
  const pidfd = openInit(helper, status);
  const notify = bindNotifySocket(helper, directory);
  const close = () => {
    helper.close(pidfd);
    if (notify !== undefined) helper.close(notify);
  };
  const closeAfter = <T>(work: Promise<T>) =>
    work.catch((error) => {
      close();
      throw error;
    });
  await closeAfter(release(helper, directory, status, pidfd));
  return {
    poststart: () => closeAfter(poststart(helper, global, directory, status)),
    ready: async () => {
      try {
        if (notify !== undefined) await passOnReady(helper, notify, status.pid, pidfd);
      } finally {
        close();
      }
    },
  };
}

function refuseUnlessCreated(directory: StateDirectory): Status {
  const { state, status } = inspect(directory);
  if (state === "created") return status;
  if (state === "running") throw new RuntsError("cannot start an already running container");
  if (state === "stopped") throw new RuntsError("cannot start a container that has stopped");
  throw new RuntsError(`cannot start a container in the ${state} state`);
}

/** Opens the fifo without ever blocking, takes it away and writes the byte that init waits for. */
async function release(
  helper: Helper,
  directory: StateDirectory,
  status: Status,
  pidfd: number,
): Promise<void> {
  const result = openResult(helper, directory);
  try {
    const fifo = openFifo(helper, directory, status);
    try {
      Deno.removeSync(directory.file("exec.fifo"));
      letGo(helper, fifo, status, pidfd);
    } finally {
      helper.close(fifo);
    }
    if (result !== undefined) await awaitExecution(helper, result, pidfd, status);
  } finally {
    if (result !== undefined) helper.close(result);
  }
}

/** crun's containers have no result fifo. */
function openResult(helper: Helper, directory: StateDirectory): number | undefined {
  try {
    return helper.open(directory.file("result.fifo"), O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === ENOENT) return undefined;
    throw error;
  }
}

function openFifo(helper: Helper, directory: StateDirectory, status: Status): number {
  try {
    return helper.open(directory.file("exec.fifo"), O_WRONLY | O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) !== ENXIO) throw error;
    throw new RuntsError(`init (pid ${status.pid}) does not wait to be started`, {
      hint: "it died, or another start was quicker",
    });
  }
}

function letGo(helper: Helper, fifo: number, status: Status, pidfd: number): void {
  try {
    helper.write(fifo, new Uint8Array([0]));
  } catch (error) {
    if (errnoOf(error) !== EPIPE) throw error;
    helper.exited(pidfd, EXIT_TIMEOUT);
    throw new RuntsError("init ended before it was started", {
      hint: howInitEnded(helper, status, pidfd),
    });
  }
}

/** Init closes the result fifo by executing the program, or writes why it could not. */
async function awaitExecution(
  helper: Helper,
  result: number,
  pidfd: number,
  status: Status,
): Promise<void> {
  for (;;) {
    const ready = await helper.pollFdsAsync([result, pidfd], -1);
    const bytes = helper.readAvailable(result, 64 * 1024);
    if (bytes instanceof Uint8Array) {
      const { describeFailure } = await import("../plan/failure.ts");
      throw describeFailure(parseRecord(bytes), status.startOps ?? []);
    }
    // The fifo of a program that was executed and ended at once is at its end, too.
    if (bytes === "eof") return;
    if (ready.includes(pidfd)) {
      throw new RuntsError("init ended before it executed the program", {
        hint: howInitEnded(helper, status, pidfd),
      });
    }
  }
}

/** Since 1.3 of the specification a poststart hook that fails ends the container. */
async function poststart(
  helper: Helper,
  global: GlobalOptions,
  directory: StateDirectory,
  status: Status,
): Promise<void> {
  const hooks = readCopyIfAny(directory)?.hooks;
  if (!hooks?.poststart?.length) return;
  const state = {
    ociVersion: OCI_VERSION,
    id: directory.id,
    status: "running",
    pid: status.pid,
    bundle: status.bundle,
    annotations: status.annotations ?? {},
  };
  try {
    await runHooks(helper, "poststart", hooks, state);
  } catch (error) {
    await removeThis(helper, global, directory, status.pid).catch((also) =>
      global.warn?.(`clean up ${quote(directory.id)}: ${reason(also)}`)
    );
    throw error;
  }
}
