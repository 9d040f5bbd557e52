/** `checkpoint`: a container's processes become an image, from which `restore` makes them again. */

import { absoluteRootfs } from "../base/absolute.ts";
import { quote, reason, RuntsError } from "../base/errors.ts";
import { isDirectory, statFile } from "../base/files.ts";
import type { ChangeOptions } from "../caller/options.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { ownCgroups } from "../criu/cgroups.ts";
import { outerStreams, writeStreams } from "../criu/descriptors.ts";
import { withReason } from "../criu/log.ts";
import { RequestType } from "../criu/messages.ts";
import { mountsToName } from "../criu/mounts.ts";
import { externalNamespaces } from "../criu/namespaces.ts";
import { commonRequest, type ImageOptions, imagePaths, openDirectories } from "../criu/options.ts";
import { type CriuRequest, type Notified, Worker } from "../criu/worker.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import type { Spec } from "../spec/types/config.ts";
import { cgroupOf, recordedCgroup } from "../state/cgroup.ts";
import { readCopy } from "../state/config_copy.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect, type Inspection } from "../state/inspect.ts";
import { withLock } from "../state/lock.ts";
import { removeLocked } from "./delete.ts";

/** What {@linkcode checkpoint} takes. */
export interface CheckpointOptions extends ChangeOptions, ImageOptions {
  /** The container goes on, instead of being deleted. */
  readonly leaveRunning?: boolean;
  /** Only what the memory holds; the container goes on. The next one has this for its parent. */
  readonly preDump?: boolean;
  /** The image before this one, relative to `imagePath`: what has not changed since is left there. */
  readonly parentPath?: string;
  /** Leaves connections out that are being made. */
  readonly tcpSkipInFlight?: boolean;
  /** Takes files along that have lost their names, by giving them new ones. */
  readonly linkRemap?: boolean;
  /** Where a page server (criu(8)) takes the memory: `ADDRESS:PORT`. */
  readonly pageServer?: string;
  /** With `lazyPages`: a NUL byte is written to this descriptor once pages can be fetched. */
  readonly statusFd?: number;
}

/** Makes an image of a running or paused container. When that fails, the container is as it was. */
export function checkpoint(given: RuntimeOrSettings, options: CheckpointOptions): Promise<void> {
  return inCommand(given, "checkpoint", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    refuseUnlessAlive(inspect(directory));
    checkRights(unloaded);
    const runtime = await load(unloaded);
    await withLock(runtime, directory, async () => {
      const found = inspect(directory);
      refuseUnlessAlive(found);
      await dumpLocked(runtime, directory, found, options);
      if (options.leaveRunning || options.preDump) return;
      await removeLocked(runtime, directory, { force: true });
    }, options.signal);
  }, options.signal);
}

export function refuseUnlessAlive({ state }: Inspection): void {
  if (state === "running" || state === "paused") return;
  throw new RuntsError(`cannot checkpoint a container that is ${state}`);
}

/** criu needs the rights of root on the host. */
export function checkRights({ caller }: Runtime): void {
  if (caller.uid === 0) return;
  throw new RuntsError("criu needs root", { hint: `this is user ${caller.uid}` });
}

/** Makes the image, by whoever holds the lock; without `leaveRunning` the processes have ended then. */
export async function dumpLocked(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  found: Inspection,
  options: CheckpointOptions,
): Promise<void> {
  const { criu, signal } = options;
  const { status, state } = found;
  const spec = readCopy(directory);
  const record = recordedCgroup(runtime, status);
  const { images, work, logFile } = imagePaths(runtime.caller, options, "dump");
  const { parentPath } = options;
  if (parentPath !== undefined) checkParent(images, parentPath);
  const worker = await Worker.start(runtime, {
    criu,
    cgroup: record,
    streams: { stdin: "null", stdout: "null", stderr: "null" },
    signal,
  });
  try {
    await checkFeatures(worker, options);
    using directories = await openDirectories(runtime, { images, work, logFile }, worker.pid);
    const request = {
      ...commonRequest(options, spec),
      ...directories.request,
      ...dumpRequest(options),
      pid: status.pid,
      root: absoluteRootfs(status.bundle, status.rootfs),
      ...freezer(record),
      ...ownCgroups(runtime, record, status.pid, options.manageCgroupsMode),
      ...(!options.preDump && outside(spec, found, images)),
    };
    const type = options.preDump ? RequestType.singlePreDump : RequestType.dump;
    await worker.perform(type, request, (what) => notified(runtime, options, what));
  } catch (error) {
    await thawAgain(runtime, found);
    throw withReason(error, logFile);
  } finally {
    await worker.end();
  }
  if (state === "paused" && options.leaveRunning) await (await cgroupOf(runtime, status)).freeze();
}

async function checkFeatures(worker: Worker, options: CheckpointOptions): Promise<void> {
  const tracked = options.preDump || options.parentPath !== undefined;
  if (tracked && !await worker.supports("trackMemory")) {
    throw new RuntsError("criu and the kernel cannot track what changes in the memory");
  }
  if (options.lazyPages && !await worker.supports("lazyPages")) {
    throw new RuntsError("criu and the kernel cannot fetch pages later (userfaultfd)");
  }
}

/** What of a request the options of a checkpoint alone say. */
function dumpRequest(options: CheckpointOptions): CriuRequest {
  const { pageServer, parentPath } = options;
  return {
    leaveRunning: options.leaveRunning,
    tcpSkipInFlight: options.tcpSkipInFlight,
    linkRemap: options.linkRemap,
    ...(pageServer !== undefined && { pageServer: parseServer(pageServer) }),
    ...(parentPath !== undefined && { parentImages: parentPath }),
    ...((parentPath !== undefined || options.preDump) && { trackMemory: true }),
  };
}

/** criu would take the whole memory, without a word. */
function checkParent(images: string, parentPath: string): void {
  if (parentPath.startsWith("/")) {
    throw new RuntsError(`parent path ${quote(parentPath)} is absolute`, {
      hint: `it begins at the image, ${quote(images)}: ../before`,
    });
  }
  if (isDirectory(`${images}/${parentPath}`)) return;
  const there = statFile(`${images}/${parentPath}`) !== undefined;
  throw new RuntsError(`parent path ${quote(parentPath)}`, {
    cause: there ? "it is no directory" : "there is no such directory",
    hint: `it begins at the image, ${quote(images)}`,
  });
}

/** `ADDRESS:PORT`; the address may itself hold colons. */
function parseServer(text: string): { address: string; port: number } {
  const [, address, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (address && Number(port) > 0 && Number(port) < 65_536) return { address, port: Number(port) };
  throw new RuntsError(`page server ${quote(text)} is not of the form ADDRESS:PORT`);
}

/** The cgroup that stops all processes at once. */
function freezer({ paths }: CgroupRecord): CriuRequest {
  const freezeCgroup = paths["freezer"] ?? paths[""];
  return freezeCgroup === undefined ? {} : { freezeCgroup };
}

/** What of the container is not its own. */
function outside(spec: Spec, { status }: Inspection, images: string): CriuRequest {
  const { names, external } = outerStreams(status.pid, status.externalDescriptors);
  writeStreams(images, names);
  return {
    externalMounts: mountsToName(spec, status.pid),
    external: [...external, ...externalNamespaces(spec, status.pid)],
  };
}

function notified(
  { helper, warn }: LoadedRuntime,
  { statusFd }: CheckpointOptions,
  { script }: Notified,
): Promise<void> {
  if (script !== "status-ready" || statusFd === undefined) return Promise.resolve();
  try {
    helper.write(statusFd, new Uint8Array(1));
    helper.close(statusFd);
  } catch (error) {
    warn(`write to the status descriptor, ${statusFd}: ${reason(error)}`);
  }
  return Promise.resolve();
}

/** A criu that was killed leaves the cgroup frozen. */
async function thawAgain(runtime: LoadedRuntime, { state, status }: Inspection): Promise<void> {
  try {
    const cgroup = await cgroupOf(runtime, status);
    if (state === "running" && cgroup.frozen()) await cgroup.thaw();
    if (state === "paused" && !cgroup.frozen()) await cgroup.freeze();
  } catch (error) {
    runtime.warn(`let the container go on: ${reason(error)}`);
  }
}
