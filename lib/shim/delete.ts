/** `delete` of a shim: what is left of a container whose shim has ended, or has done so already. */

import { reason } from "../base/errors.ts";
import { readFile, removeQuietly } from "../base/files.ts";
import { remove } from "../container/delete.ts";
import { processDirectory } from "../monitor/places.ts";
import { type LoadedRuntime, withSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { INIT, readExitRecord } from "../state/process_record.ts";
import { encodeMessage } from "../wire/protobuf.ts";
import type { ShimArguments } from "./arguments.ts";
import { now, timestamp } from "./events.ts";
import { DELETED } from "./messages.ts";
import { brainDirectory, groupDirectory, taskMark } from "./places.ts";
import { GroupFiles } from "./record.ts";
import { unmountRootfs } from "./rootfs.ts";

/** Of a container whose end nobody has noted. */
const KILLED = 137;

/** Gives what is to be printed. */
export async function deleteShim(
  runtime: LoadedRuntime,
  { id, bundle: given }: ShimArguments,
): Promise<Uint8Array> {
  const here = runtime.caller.workingDirectory();
  const bundle = given || `${here.replace(/\/[^/]*$/, "")}/${id}`;
  const root = readFile(taskMark(bundle));
  let end: { pid: number; code: number; at: bigint } = { pid: 0, code: KILLED, at: now() };
  if (root) {
    const own = withSettings(runtime, { root });
    const exit = exitOf(new StateDirectory(own, id));
    await remove(own, { id, force: true });
    end = exit ?? end;
  }
  unmountRootfs(runtime.caller, `${bundle}/rootfs`);
  removeQuietly(taskMark(bundle));
  await forgetShim(runtime, id, bundle);
  return encodeMessage(DELETED, {
    pid: end.pid,
    exit_status: end.code,
    exited_at: timestamp(end.at),
  });
}

function exitOf(directory: StateDirectory): { pid: number; code: number; at: bigint } | undefined {
  const exit = readExitRecord(processDirectory(directory, INIT));
  return exit && { pid: exit.pid, code: exit.code, at: BigInt(Date.parse(exit.at)) * 1_000_000n };
}

/** Where the shim is no more, its socket goes, and what was written down of it. */
async function forgetShim(runtime: LoadedRuntime, id: string, bundle: string): Promise<void> {
  const socket = readFile(`${bundle}/address`)?.replace(/^unix:\/\//, "");
  if (!socket) return;
  try {
    (await Deno.connect({ transport: "unix", path: socket })).close();
    return;
  } catch {
    // there is nobody
  }
  removeQuietly(socket);
  const digest = socket.slice(socket.lastIndexOf("/") + 1);
  if (!/^[0-9a-f]{64}$/.test(digest)) return;
  const files = new GroupFiles(groupDirectory(brainDirectory(runtime.caller), digest));
  try {
    files.remove(id);
    if (files.isEmpty()) files.end();
  } catch (error) {
    runtime.warn(reason(error));
  }
}
