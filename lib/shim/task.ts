/** A task: a container of containerd, and what is done with it. */

import { ENOENT } from "../base/errno.ts";
import { errnoOf, reason } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import type { CgroupRecord } from "../cgroup/manager.ts";
import { remove } from "../container/delete.ts";
import { start } from "../container/start.ts";
import { removeProcessDirectory } from "../monitor/process.ts";
import { type LoadedRuntime, withSettings } from "../runtime/runtime.ts";
import { cgroupOf, recordedCgroup } from "../state/cgroup.ts";
import { hasOwnPidNamespace } from "../state/config_copy.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect, inspectIfRecorded } from "../state/inspect.ts";
import type { Ended } from "../wire/body.ts";
import type { Decoded } from "../wire/protobuf.ts";
import { monitorName, processName } from "./attend.ts";
import { drain, untilStopped } from "./ending.ts";
import { createdEvent, makeEvent, now, Outbox, timestamp } from "./events.ts";
import { notFound, refused, statusOf } from "./failure.ts";
import { warnInLog } from "./log.ts";
import {
  isOpenedAtOnce,
  makeContainer,
  type Making,
  type Pod,
  prepareExec,
  spawnExec,
} from "./making.ts";
import type { CREATE } from "./messages.ts";
import type { TaskOptions } from "./options.ts";
import { taskMark } from "./places.ts";
import { OomTeller } from "./oom.ts";
import { TaskProcess } from "./process.ts";
import { howItIs } from "./recovering.ts";
import type { Exit, Io, TaskEntry } from "./record.ts";
import { clearTask } from "./clearing.ts";
import { mountRootfs, unmountRootfs } from "./rootfs.ts";
import { Code, StatusError } from "./ttrpc.ts";

/** The end of a process that nobody knows more of. */
const LOST = 255;

export class Task {
  readonly #pod: Pod;
  readonly entry: TaskEntry;
  readonly #runtime: LoadedRuntime;
  readonly #outbox: Outbox;
  readonly #processes = new Map<string, TaskProcess>();
  readonly #oom: OomTeller;

  constructor(pod: Pod, entry: TaskEntry) {
    this.#pod = pod;
    this.entry = entry;
    const { id, bundle, root } = entry;
    const warn = warnInLog(pod.runtime.helper, bundle, { id, namespace: pod.namespace });
    this.#runtime = withSettings(pod.runtime, { root, warn });
    const told = () => this.#afterTelling();
    this.#outbox = new Outbox(pod.events, pod.namespace, entry.outbox, told);
    this.#oom = new OomTeller(
      this.#runtime,
      entry,
      () => this.#tell(makeEvent("oom", { container_id: id })),
    );
    this.#processes.set("", new TaskProcess("", entry.init));
    for (const [execId, one] of Object.entries(entry.execs)) {
      this.#processes.set(execId, new TaskProcess(execId, one));
    }
  }

  get runtime(): LoadedRuntime {
    return this.#runtime;
  }

  get id(): string {
    return this.entry.id;
  }

  get processes(): Iterable<TaskProcess> {
    return this.#processes.values();
  }

  get directory(): StateDirectory {
    return new StateDirectory(this.#runtime, this.id);
  }

  process(execId: string): TaskProcess {
    const found = this.#processes.get(execId);
    if (found === undefined) throw notFound(`exec ${execId} in container ${this.id}`);
    return found;
  }

  /** Makes the container. When it fails, nothing is left of it. */
  async create(request: Decoded<typeof CREATE>, options: TaskOptions): Promise<void> {
    this.#save();
    Deno.writeTextFileSync(taskMark(this.entry.bundle), this.entry.root, { mode: 0o600 });
    try {
      await this.process("").during(async () => {
        const { bundle, init } = this.entry;
        mountRootfs(`${bundle}/rootfs`, request.rootfs);
        // What comes out of an image runs at once: that is for the start.
        if (this.entry.restore === undefined) {
          init.pid = await makeContainer(this.#making(), options);
        }
        this.entry.phase = "made";
        this.#tell(createdEvent(this.entry, request));
        this.watch();
      });
    } catch (error) {
      await this.forget();
      this.#dropFifos("");
      throw error;
    }
  }

  #making(): Making {
    return { pod: this.#pod, runtime: this.#runtime, entry: this.entry };
  }

  /** Runs the program of a process. */
  async start(execId: string, again: boolean): Promise<number> {
    const process = this.process(execId);
    return await process.during(async () => {
      if (process.state !== "created") {
        if (again && process.entry.pid > 0) return process.entry.pid;
        throw refused(
          process.state === "running"
            ? "cannot start an already running process"
            : "cannot start a process that has stopped",
        );
      }
      if (execId === "") await this.#startInit(process);
      else await this.#startExec(process);
      this.#dropFifos(execId);
      if (process.inputClosed) await this.closeInput(process);
      return process.entry.pid;
    });
  }

  async #startInit(process: TaskProcess): Promise<void> {
    const { restore } = this.entry;
    try {
      if (restore === undefined) await start(this.#runtime, { id: this.id });
      else {
        const { restoreTask } = await import("./image.ts");
        process.entry.pid = await restoreTask(this.#making(), restore);
        this.watch();
      }
    } catch (error) {
      // A brain may have died once the program ran; it may even have ended since.
      const { kind } = await howItIs(this.#pod.monitor, this.directory, processName(""));
      if (kind !== "runs" && kind !== "ended") {
        throw statusOf(error, restore === undefined ? "start" : "restore");
      }
    }
    this.#tellRuns(process);
  }

  /** Its program runs. */
  #tellRuns({ execId, entry, begun }: TaskProcess): void {
    const { id } = this;
    const { pid } = entry;
    delete entry.spec;
    entry.state = "running";
    this.#tell(
      execId === ""
        ? makeEvent("start", { container_id: id, pid })
        : makeEvent("execStarted", { container_id: id, exec_id: execId, pid }),
    );
    begun.resolve();
  }

  async #startExec(process: TaskProcess): Promise<void> {
    const { execId, entry } = process;
    try {
      const making = this.#making();
      const prepared = await (process.takePrepared() ?? prepareExec(making, execId, entry));
      entry.pid = await spawnExec(making, execId, prepared);
    } catch (error) {
      this.#dropFifos(execId);
      entry.state = "stopped";
      entry.exit = { code: LOST, at: String(now()) };
      process.begun.resolve();
      this.#save();
      removeProcessDirectory(this.directory, processName(execId));
      throw statusOf(error, "exec");
    }
    this.#tellRuns(process);
  }

  /** It is not going to be started here; or has been. */
  #abandon(process: TaskProcess): void {
    process.discard().finally(() => this.#dropFifos(process.execId));
  }

  /** A process has them, or there will be none. */
  #dropFifos(execId: string): void {
    this.#pod.monitor.dropFifos(monitorName(this.id, execId)).catch(() => {}); // the monitor has gone
  }

  /** Registers a process; it is started later. */
  addExec(execId: string, io: Io, spec: string, again: boolean): void {
    if (this.#processes.has(execId)) {
      if (again) return;
      throw new StatusError(Code.alreadyExists, `id ${execId}: already exists`);
    }
    const { state } = this.entry.init;
    if (state === "stopped") {
      throw new StatusError(
        Code.failedPrecondition,
        `container ${this.id} has stopped: failed precondition`,
      );
    }
    const process = new TaskProcess(execId, { io, state: "created", pid: 0, spec });
    this.entry.execs[execId] = process.entry;
    this.#processes.set(execId, process);
    this.#tell(makeEvent("execAdded", { container_id: this.id, exec_id: execId }));
    if (!isOpenedAtOnce(process.entry)) return;
    // While the client gets to know that it is registered.
    process.prepared = prepareExec(this.#making(), execId, process.entry);
    process.prepared.catch(() => {}); // whoever starts it hears of it
  }

  /** The monitor has told of an end. */
  noteEnded(execId: string, end: Ended): void {
    const process = this.#processes.get(execId);
    if (process === undefined || process.state === "stopped") return;
    process.ending ??= this.#noteEnd(process, end).catch((error) => {
      this.#runtime.warn(`note the end of ${monitorName(this.id, execId)}: ${reason(error)}`);
    });
  }

  async #noteEnd(process: TaskProcess, end: Pick<Ended, "pid" | "code" | "time">): Promise<void> {
    await process.settled();
    if (process.entry.pid !== end.pid) {
      process.ending = undefined;
      return; // of one that came to nothing
    }
    if (process.execId === "") await this.#afterInit();
    const cgroup = this.cgroup();
    if (cgroup !== undefined) this.#oom.look(cgroup);
    process.entry.exit = { code: end.code, at: String(end.time) };
    process.entry.state = "stopped";
    process.begun.resolve();
    this.#tell(makeEvent("exit", {
      container_id: this.id,
      id: process.execId || this.id,
      pid: end.pid,
      exit_status: end.code,
      exited_at: timestamp(end.time),
    }));
  }

  /** What init takes with it is told of first. */
  async #afterInit(): Promise<void> {
    this.#oom.stop();
    try {
      const { status } = inspect(this.directory);
      const cgroup = await cgroupOf(this.#runtime, status);
      if (!hasOwnPidNamespace(this.directory)) await cgroup.killAll();
      await cgroup.thaw();
    } catch (error) {
      this.#runtime.warn(reason(error));
    }
    await untilStopped([...this.#processes.values()].filter(({ execId }) => execId !== ""));
  }

  /** Tells of whatever wants for memory. */
  watch(): void {
    const cgroup = this.cgroup();
    if (cgroup !== undefined && this.entry.init.state !== "stopped") this.#oom.watch(cgroup);
  }

  /** Undefined where there is none (any more). */
  cgroup(): CgroupRecord | undefined {
    const found = inspectIfRecorded(this.directory);
    return found && recordedCgroup(this.#runtime, found.status);
  }

  /** Deletes a process that has ended, with the container where it is init. */
  async remove(execId: string): Promise<{ pid: number; exit: Exit }> {
    const process = this.process(execId);
    if (process.state === "running") {
      await process.ending;
      if (process.state === "running") throw refused("cannot delete a running process");
    }
    this.#abandon(process); // it may never have been started
    await drain(this.#making(), process);
    if (execId !== "") {
      removeProcessDirectory(this.directory, processName(execId));
      this.#processes.delete(execId);
      delete this.entry.execs[execId];
      this.#save();
      return process.result();
    }
    const { id } = this;
    for (const other of this.#processes.values()) this.#abandon(other);
    await remove(this.#runtime, { id, force: true });
    await untilStopped([process], 1_000); // it may have been killed just now
    unmountRootfs(this.#runtime.caller, `${this.entry.bundle}/rootfs`);
    this.entry.phase = "deleted";
    const { pid, exit } = process.result();
    const at = timestamp(BigInt(exit.at));
    this.#tell(
      makeEvent("delete", { container_id: id, pid, exit_status: exit.code, exited_at: at }),
    );
    removeQuietly(taskMark(this.entry.bundle));
    return { pid, exit };
  }

  /** The program finds the end of its input. */
  async closeInput(process: TaskProcess): Promise<void> {
    if (process.state === "created") {
      process.inputClosed = true;
      if (process.execId !== "") return;
    }
    if (process.state === "stopped") return;
    try {
      await this.#pod.monitor.closeStdin(monitorName(this.id, process.execId));
    } catch (error) {
      if (errnoOf(error) !== ENOENT) throw error; // it has ended
    }
  }

  /** Nothing is left of it, nor written down. The monitor holds the client's fifos, for it may be made again. */
  async forget(): Promise<void> {
    this.#oom.stop();
    for (const process of this.#processes.values()) process.discard();
    await clearTask(this.#runtime, this.entry, this.#pod.files);
  }

  /** A brain has died: what was going on then is looked at. */
  async recover(): Promise<void> {
    for (const process of this.#processes.values()) {
      if (process.state !== "stopped") await this.#recoverProcess(process);
    }
    this.watch();
  }

  async #recoverProcess(process: TaskProcess): Promise<void> {
    const { entry, execId } = process;
    const found = await howItIs(this.#pod.monitor, this.directory, processName(execId));
    if (found.kind === "none") return;
    entry.pid ||= found.pid;
    if (entry.state === "created" && found.kind !== "waits") {
      if (execId !== "" && found.kind === "undone") return this.#undoExec(process);
      if (found.kind !== "undone") this.#tellRuns(process);
    }
    this.#dropFifos(execId);
    if (found.kind === "runs" || found.kind === "waits") return;
    const { code, time } = found.exit ?? { code: LOST, time: now() };
    process.ending ??= this.#noteEnd(process, { pid: entry.pid, code, time });
  }

  /** It came to nothing: as if nobody had started it yet. */
  #undoExec({ execId, entry }: TaskProcess): void {
    removeProcessDirectory(this.directory, processName(execId));
    entry.pid = 0;
  }

  /** Resolves once all ends that have come are told of. */
  async ended(): Promise<void> {
    await Promise.all([...this.#processes.values()].map(({ ending }) => ending));
  }

  /** Another brain goes on with it. */
  leave(): void {
    this.#oom.stop();
    this.#outbox.close();
    for (const process of this.#processes.values()) process.discard();
  }

  /** Resolves once containerd knows all. */
  async told(): Promise<void> {
    await this.#outbox.done();
  }

  #tell(event: ReturnType<typeof makeEvent>): void {
    this.#outbox.add(event);
    this.#save();
  }

  /** Tells what was done with all of it. */
  tellDone(kind: "paused" | "resumed" | "checkpointed", checkpoint = ""): void {
    this.#tell(makeEvent(kind, { container_id: this.id, ...(checkpoint && { checkpoint }) }));
  }

  #save(): void {
    this.#pod.files.write(this.entry);
  }

  /** What is told is not told again. */
  #afterTelling(): void {
    if (this.entry.outbox.length === 0 && !this.#pod.files.isOver()) this.#save();
  }
}
