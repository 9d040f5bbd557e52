/** Telling the caller of init: the pid file and the pidfd socket. */

import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { numberOf, quote, RuntsError } from "../base/errors.ts";
import { absoluteBytes } from "../base/absolute.ts";
import { removeQuietly, statFile } from "../base/files.ts";
import { O_PATH } from "../base/linux.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";

/** Of a pid file that is made. */
const MODE = 0o644;

/**
 * Writes the pid, decimal, without a newline, by rename: whoever sees the file sees all of it. A
 * device is written to: a rename would put a file in the place of /dev/null.
 */
export function writePidFile(runtime: LoadedRuntime, path: string, pid: number): void {
  const { caller } = runtime;
  const file = absoluteBytes(caller, path);
  if (!file.isWellFormed()) return writeBytesNamed(runtime, file, pid);
  if (statFile(file)?.isCharDevice) return writeInPlace(file, pid);
  const slash = file.lastIndexOf("/");
  const temporary = `${file.slice(0, slash)}/.${file.slice(slash + 1)}.${caller.pid}`;
  replace(file, pid, temporary, caller.masked(MODE), Deno.renameSync);
}

/** The same where Deno cannot have the path (lib/base/bytes.ts); no device has such a one. */
function writeBytesNamed({ helper, caller }: LoadedRuntime, file: string, pid: number): void {
  const directory = helper.open(file.slice(0, file.lastIndexOf("/")) || "/", O_PATH);
  const temporary = `${ownDescriptor(directory)}/.runts-pid.${caller.pid}`;
  try {
    replace(file, pid, temporary, caller.masked(MODE), (from, to) => helper.rename(from, to));
  } finally {
    helper.close(directory);
  }
}

function replace(
  file: string,
  pid: number,
  temporary: string,
  mode: number,
  rename: (from: string, to: string) => void,
): void {
  removeQuietly(temporary); // of a runts that was killed
  try {
    // In a directory for everybody, somebody may have put a link there.
    Deno.writeTextFileSync(temporary, String(pid), { mode, createNew: true });
    rename(temporary, file);
  } catch (cause) {
    removeQuietly(temporary);
    throw new RuntsError(`write pid file ${quote(file)}`, { cause });
  }
}

function writeInPlace(file: string, pid: number): void {
  try {
    Deno.writeTextFileSync(file, String(pid), { create: false });
  } catch (cause) {
    throw new RuntsError(`write pid file ${quote(file)}`, { cause });
  }
}

/** What the pidfd is of, in runc's words: init, or a process of `exec`. */
type PidfdText = "standard" | "setns";

/** Sends a pidfd over a unix socket, as runc does since 1.2. */
export async function sendPidfd(
  { helper, body, caller }: LoadedRuntime,
  path: string,
  pidfd: number,
  text: PidfdText,
): Promise<void> {
  let socket: number;
  try {
    socket = await body.connect(absoluteBytes(caller, path));
  } catch (cause) {
    throw new RuntsError(`connect to pidfd socket ${quote(path)}`, numberOf(cause));
  }
  try {
    await helper.sendFds(socket, [pidfd], new TextEncoder().encode(text));
  } finally {
    helper.close(socket);
  }
}
