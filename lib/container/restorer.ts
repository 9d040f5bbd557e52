/** The first process of a container out of an image: criu makes it, as a child of the body. */

import { absoluteRootfs } from "../base/absolute.ts";
import type { Caller } from "../base/caller.ts";
import { RuntsError } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import { readMountinfo } from "../base/mountinfo.ts";
import { isWithin } from "../base/paths.ts";
import type { Undo } from "../base/undo.ts";
import type { Child } from "../body/body.ts";
import type { CgroupRequest } from "../cgroup/manager.ts";
import { connectConsole } from "../caller/console_socket.ts";
import { makeNotifyDirectory } from "../caller/readiness.ts";
import { cgroupRoots } from "../criu/cgroups.ts";
import { streamsToInherit } from "../criu/descriptors.ts";
import { withReason } from "../criu/log.ts";
import { RequestType } from "../criu/messages.ts";
import { mountsToPlace } from "../criu/mounts.ts";
import { sharedNamespaces } from "../criu/namespaces.ts";
import {
  commonRequest,
  type ImageOptions,
  imagePaths,
  leavesNetworkOut,
  openDirectories,
  type RestoreOptions,
} from "../criu/options.ts";
import { type CriuRequest, type Notified, Worker } from "../criu/worker.ts";
import { planHost } from "../host/facts.ts";
import { FIRST_GIVEN } from "../plan/criu.ts";
import { setUpLoopback } from "../net/loopback.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { NamespaceType, Spec } from "../spec/types/config.ts";
import { SIGKILL } from "../spec/values/signals.ts";
import type { ProcessName } from "../state/process_record.ts";
import type { Attendant, FirstProcess, Made, Making } from "./creation_parts.ts";

/** How long a process that is killed may take to go, in ms. */
const KILL_TIMEOUT = 10_000;

/** What of the options of a restore is for criu; the rest is as for a container that is made. */
export type CriuOptions =
  & ImageOptions
  & Pick<
    RestoreOptions,
    "consoleSocket" | "signal" | "tcpClose" | "lsmProfile" | "lsmMountContext"
  >;

/** Takes the part of init; what the other attendant does stays as it is. */
export class Restorer implements Attendant {
  readonly #options: CriuOptions;
  readonly #other: Attendant | undefined;
  #masterPassed = false;

  constructor(options: CriuOptions, other: Attendant | undefined) {
    this.#options = options;
    this.#other = other;
  }

  cgroup(runtime: LoadedRuntime, request: CgroupRequest): CgroupRequest {
    return this.#other?.cgroup?.(runtime, request) ?? request;
  }

  intended(): void {
    this.#other?.intended?.();
  }

  prepare(runtime: LoadedRuntime, made: Made, undo: Undo): Promise<LoadedRuntime> {
    return this.#other?.prepare?.(runtime, made, undo) ?? Promise.resolve(runtime);
  }

  async namespaces(pid: number): Promise<void> {
    await this.#other?.namespaces?.(pid);
  }

  async ready(init: ProcessName): Promise<void> {
    await this.#other?.ready?.(init);
  }

  /** It goes on once it is recorded: until then criu waits. */
  async first(making: Making): Promise<FirstProcess> {
    const { runtime, directory, bundle, undo } = making;
    const place = makePlace(directory.file("criu-root"));
    undo.add(() => removeQuietly(place));
    const paths = imagePaths(runtime.caller, this.#options, "restore");
    const streams = streamsToInherit(paths.images);
    const externalMounts = placedMounts(making);
    const worker = await this.#start(making, place);
    undo.add(() => worker.end());
    const directories = await openDirectories(runtime, paths, worker.pid);
    undo.add(() => directories[Symbol.dispose]());
    const request = {
      ...this.#request(making, worker, streams),
      ...directories.request,
      externalMounts,
      root: place,
    };
    const recorded = Promise.withResolvers<void>();
    const restored = Promise.withResolvers<number>();
    directory.replace("config.json", bundle.text);
    this.#other?.begin?.();
    const work = worker.perform(RequestType.restore, request, async (what) => {
      if (what.script !== "post-restore") return await this.#notified(making, worker, what);
      restored.resolve(what.pid);
      await recorded.promise;
    }).catch((error) => {
      throw withReason(error, paths.logFile);
    });
    recorded.promise.catch(() => {}); // told by whoever has undone it
    undo.add(async () => {
      recorded.reject(new RuntsError("the container is not to be restored after all"));
      await work.catch(() => {});
    });
    const pid = await Promise.race([restored.promise, work]);
    const child = { pid, pidfd: runtime.helper.openPidfd(pid) };
    undo.add(() => endChild(runtime, child));
    return {
      ...child,
      commit: async () => {
        recorded.resolve();
        await work;
        await worker.end();
        directories[Symbol.dispose]();
        removeQuietly(place);
      },
    };
  }

  #start(
    { runtime, options, directory, bundle: { spec, path }, cgroup, join }: Making,
    place: string,
  ): Promise<Worker> {
    const { signal, criu } = this.#options;
    const console = this.#ownConsole();
    return Worker.start(runtime, {
      criu,
      signal,
      cgroup: cgroup.record,
      streams: options,
      restore: {
        spec,
        place,
        bundle: path,
        cgroup: join,
        placeMount: mountOf(runtime.caller, place),
        namespaces: sharedNamespaces(spec).open,
      },
      ...(console !== undefined && { console }),
      attach: async (pid) => {
        await cgroup.attach(pid);
        directory.noteCgroup();
      },
    });
  }

  #request(
    { bundle: { spec }, cgroup }: Making,
    worker: Worker,
    streams: readonly { key: string; fd: number }[],
  ): CriuRequest {
    const { tcpClose, lsmProfile, lsmMountContext } = this.#options;
    const { keys, request: joined } = sharedNamespaces(spec);
    const first = FIRST_GIVEN + (this.#ownConsole() === undefined ? 1 : 2);
    const withoutCgroup = cgroup.record.kind === "disabled";
    return {
      ...commonRequest({
        ...(withoutCgroup && { manageCgroupsMode: "ignore" }),
        ...this.#options,
      }, spec),
      ...joined,
      ...{ tcpClose, lsmProfile, lsmMountContext },
      restoreSibling: true,
      // Else criu wants of two bind mounts of a file system that one lies in the other, where the host's is shared.
      mountsByPath: true,
      evasiveDevices: true,
      cgroupRoots: withoutCgroup ? [] : cgroupRoots(worker.pid),
      inherit: [...streams, ...keys.map((key, index) => ({ key, fd: first + index }))],
    };
  }

  /** Where the body has a socket of its own for the terminal, it puts it in the place of -1. */
  #ownConsole(): number | undefined {
    return this.#other?.console === -1 ? -1 : undefined;
  }

  async #notified(
    { runtime, namespaces, bundle: { spec } }: Making,
    worker: Worker,
    { script, pid, fds: [master] }: Notified,
  ): Promise<void> {
    if (script === "setup-namespaces") {
      if (isNew(spec, "network") && leavesNetworkOut(this.#options, spec)) {
        setUpLoopback(runtime, pid);
      }
      await namespaces(pid);
    }
    if (script === "orphan-pts-master" && master !== undefined) {
      await this.#passMaster(runtime, worker, master);
    }
  }

  /** The master of the terminal goes where init would have sent it. */
  async #passMaster(runtime: LoadedRuntime, worker: Worker, master: number): Promise<void> {
    const { helper } = runtime;
    if (this.#masterPassed) return; // that of a process of exec
    this.#masterPassed = true;
    const console = this.#other?.console;
    const { consoleSocket } = this.#options;
    const socket = console === -1
      ? await worker.fetchGiven(0)
      : console ?? (consoleSocket && await connectConsole(runtime, consoleSocket));
    if (!socket) return;
    try {
      await helper.sendFds(socket, [master], new TextEncoder().encode(MULTIPLEXER));
    } finally {
      if (socket !== console) helper.close(socket);
    }
  }
}

/** What the container sees of the host. */
function placedMounts({ runtime, directory, bundle: { spec, path }, cgroup }: Making) {
  return mountsToPlace({
    spec,
    bundle: path,
    rootfs: absoluteRootfs(path, spec.root.path),
    host: planHost(runtime, cgroup.record),
    notifyDirectory: makeNotifyDirectory(directory),
  });
}

function isNew({ linux }: Spec, wanted: NamespaceType): boolean {
  return linux?.namespaces?.some(({ type, path }) => type === wanted && !path) === true;
}

/** What the master of a terminal is called. */
const MULTIPLEXER = "/dev/ptmx";

/** The directory that criu finds the root filesystem in; criu wants no symlinks. */
function makePlace(path: string): string {
  Deno.mkdirSync(path, { mode: 0o755 });
  return Deno.realPathSync(path);
}

/** The mount point of the mount that a path lies in. */
function mountOf({ proc }: Caller, path: string): string {
  return readMountinfo(proc).map((mount) => mount.path)
    .filter((point) => isWithin(path, point))
    .reduce((longest, point) => point.length > longest.length ? point : longest, "/");
}

async function endChild({ helper, body }: LoadedRuntime, child: Child): Promise<void> {
  try {
    helper.sendSignal(child.pidfd, SIGKILL);
  } catch {
    // it has ended
  }
  await helper.awaitExit(child.pidfd, { timeoutMs: KILL_TIMEOUT });
  await body.reap(child);
  helper.close(child.pidfd);
}
