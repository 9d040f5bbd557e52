/** SCMP_ACT_NOTIFY: the listener of the filter, passed on to whom the configuration names. */

import { EBADF, EPERM } from "../base/errno.ts";
import { errnoOf, numberOf, quote, RuntsError } from "../base/errors.ts";
import type { ContainerProcessState, Seccomp, State } from "../spec/types/config.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { OCI_VERSION } from "../base/version.ts";

/** How long the kernel may take to load the filter, in ms. */
const LOAD_TIMEOUT = 10_000;
/** Between two looks, in ms. */
const INTERVAL = 1;

/** A process that is about to load its filter. */
interface Listener {
  /** Of the process, as runts sees it. */
  readonly pid: number;
  readonly pidfd: number;
  /** The number that the listener's descriptor will have there. */
  readonly fd: number;
  /** The container's state document. */
  readonly state: State;
}

/**
 * Fetches the listener and sends it, with the container process state, to the socket of
 * `listenerPath`. When the process ends before that, nothing is thrown: it tells why by itself.
 */
export async function passOnListener(
  runtime: LoadedRuntime,
  profile: Seccomp | undefined,
  listener: Listener,
): Promise<void> {
  const { pid, state } = listener;
  const path = receiver(profile, state);
  const descriptor = await fetch(runtime, listener);
  if (descriptor === undefined) return;
  try {
    const metadata = profile?.listenerMetadata;
    const message: ContainerProcessState = {
      ociVersion: OCI_VERSION,
      fds: ["seccompFd"],
      pid,
      ...(metadata !== undefined && { metadata }),
      state,
    };
    await send(runtime, path, descriptor, message);
  } finally {
    runtime.helper.close(descriptor);
  }
}

function receiver(profile: Seccomp | undefined, state: State): string {
  const path = profile?.listenerPath || state.annotations?.["run.oci.seccomp.receiver"];
  if (path) return path;
  throw new RuntsError("nobody is named to take the seccomp listener", {
    configPath: "linux.seccomp.listenerPath",
  });
}

/** Until the filter is loaded the number is not open: the process waits with the next step. */
async function fetch(
  { helper, body }: LoadedRuntime,
  { pid, pidfd, fd }: Listener,
): Promise<number | undefined> {
  const end = performance.now() + LOAD_TIMEOUT;
  for (;;) {
    try {
      return await body.fetchDescriptor({ pid, pidfd }, fd);
    } catch (error) {
      if (await helper.awaitExit(pidfd, { timeoutMs: INTERVAL })) return undefined;
      if (errnoOf(error) !== EBADF || performance.now() > end) {
        throw new RuntsError("fetch the seccomp listener", {
          configPath: "linux.seccomp",
          cause: error,
          ...(errnoOf(error) === EPERM && { hint: "it takes CAP_SYS_PTRACE" }),
        });
      }
    }
  }
}

async function send(
  { helper, body }: LoadedRuntime,
  path: string,
  fd: number,
  message: ContainerProcessState,
): Promise<void> {
  const text = new TextEncoder().encode(JSON.stringify(message));
  try {
    const socket = await body.connect(path);
    try {
      await helper.sendFds(socket, [fd], text);
    } finally {
      helper.close(socket);
    }
  } catch (cause) {
    throw new RuntsError(`pass the seccomp listener to ${quote(path)}`, {
      configPath: "linux.seccomp.listenerPath",
      ...numberOf(cause),
    });
  }
}
