/**
 * NOTIFY_SOCKET, as crun handles it (sd_notify(3)): the container gets a socket of its own in
 * the state directory, mounted inside; start waits there for READY=1 and passes it on, with
 * the pid of init as the host sees it.
 */

import { decodeBytes, encodeText } from "../base/bytes.ts";
import type { Caller } from "../base/caller.ts";
import { reason } from "../base/errors.ts";
import type { Child } from "../body/body.ts";
import { removeQuietly } from "../base/files.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";

/** The caller's own socket, if a service manager started runts. */
export function callerNotifySocket(caller: Caller): string | undefined {
  return caller.variable("NOTIFY_SOCKET");
}

/** Makes the directory that create mounts into the container. */
export function makeNotifyDirectory(directory: StateDirectory): string {
  const path = directory.file("notify");
  Deno.mkdirSync(path, { mode: 0o755 });
  Deno.chmodSync(path, 0o755);
  return path;
}

/** The container's socket; undefined when nobody asked for one or the container has none. */
export function bindNotifySocket(
  { helper, caller }: LoadedRuntime,
  directory: StateDirectory,
): number | undefined {
  if (callerNotifySocket(caller) === undefined) return undefined;
  try {
    if (!Deno.lstatSync(directory.file("notify")).isDirectory) return undefined;
  } catch {
    return undefined;
  }
  const path = directory.file("notify/notify.sock");
  removeQuietly(path); // of a start that was killed
  return helper.bindDatagram(path, 0o777);
}

/**
 * Passes on what the container says until it is ready (or gone). STATUS and BARRIER go through as
 * they come; MAINPID is replaced by the host's pid of init. The program runs whether or not its
 * messages are taken: the first that is not is a warning.
 */
export async function passOnReady(
  { helper, body, caller, warn }: LoadedRuntime,
  socket: number,
  { pid, pidfd }: Child,
  signal?: AbortSignal,
): Promise<void> {
  const target = callerNotifySocket(caller);
  if (target === undefined) return;
  let warned = false;
  for (;;) {
    const ready = await helper.awaitFds([socket, pidfd], { signal });
    if (!ready.includes(socket)) return; // init died without a word
    const { bytes, fds } = helper.receiveDatagram(socket, 0);
    const lines = decodeBytes(bytes).split("\n").filter((line) => line !== "");
    const kept = lines.filter((line) => !line.startsWith("MAINPID="));
    const isReady = kept.includes("READY=1");
    if (isReady) kept.push(`MAINPID=${pid}`);
    try {
      await body.sendDatagram(target, encodeText(kept.join("\n") + "\n"), fds);
    } catch (error) {
      if (!warned) warn(`pass on the container's messages to NOTIFY_SOCKET: ${reason(error)}`);
      warned = true;
    } finally {
      for (const fd of fds) helper.close(fd);
    }
    if (isReady) return;
  }
}
