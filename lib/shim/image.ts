/** `Checkpoint`, and what is restored from an image. Loaded when that is asked for. */

import { checkpoint, type CheckpointOptions } from "../container/checkpoint.ts";
import { remove } from "../container/delete.ts";
import { Restorer } from "../container/restorer.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspectIfRecorded } from "../state/inspect.ts";
import type { Decoded } from "../wire/protobuf.ts";
import { makeContainer, type Making } from "./making.ts";
import type { CHECKPOINT_OPTIONS } from "./messages.ts";
import type { RestoreEntry } from "./record.ts";
import type { Task } from "./task.ts";

/** Where criu works and has its log, unless the options say something else: the image is packed as it is. */
function workPathIn(bundle: string): string {
  return `${bundle}/criu-work`;
}

/** Makes an image of a task, which goes on unless the options say that it ends. */
export async function checkpointTask(
  { runtime, id, entry: { bundle } }: Task,
  imagePath: string,
  options: Decoded<typeof CHECKPOINT_OPTIONS>,
): Promise<void> {
  const { exit, cgroups_mode, empty_namespaces } = options;
  const workPath = options.work_path || workPathIn(bundle);
  await checkpoint(runtime, {
    id,
    imagePath,
    workPath,
    leaveRunning: !exit,
    tcpEstablished: options.open_tcp,
    extUnixSk: options.external_unix_sockets,
    shellJob: options.terminal,
    fileLocks: options.file_locks,
    emptyNs: empty_namespaces as NonNullable<CheckpointOptions["emptyNs"]>,
    ...(cgroups_mode && {
      manageCgroupsMode: cgroups_mode as NonNullable<CheckpointOptions["manageCgroupsMode"]>,
    }),
  });
  if (options.work_path === "") Deno.removeSync(workPath, { recursive: true });
}

/** Makes a task out of an image; gives the pid of its init, which goes on where it was. */
export async function restoreTask(
  making: Making,
  { image, options }: RestoreEntry,
): Promise<number> {
  const { runtime, entry: { id, bundle, init } } = making;
  const state = inspectIfRecorded(new StateDirectory(runtime, id))?.state;
  if (init.pid > 0 && (state === "running" || state === "paused")) return init.pid;
  await remove(runtime, { id, force: true }); // what a brain that has died has left
  const workPath = workPathIn(bundle);
  const pid = await makeContainer(
    making,
    options,
    (monitor) => new Restorer({ imagePath: image, workPath }, monitor),
  );
  Deno.removeSync(workPath, { recursive: true });
  return pid;
}
