/** The task service (containerd.task.v2.Task, and v3, which has the same calls) for the containers of one monitor. */

import { ENOTTY } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import type { FrameName } from "../body/shim_monitor.ts";
import { kill } from "../container/kill.ts";
import { pause, resume } from "../container/pause.ts";
import { ps } from "../container/ps.ts";
import { update } from "../container/update.ts";
import { parseResources } from "../spec/load.ts";
import { inspectIfRecorded } from "../state/inspect.ts";
import type { Ended, Frame } from "../wire/body.ts";
import {
  type Decoded,
  decodeMessage,
  type Encodable,
  encodeMessage,
  type Message,
} from "../wire/protobuf.ts";
import { idsOf, monitorName } from "./attend.ts";
import { timestamp } from "./events.ts";
import { finished, notFound, refused, statusOf } from "./failure.ts";
import { CALLS, PROCESS_DETAILS, TaskStatus } from "./messages.ts";
import { checkpointOptions, taskOptions } from "./options.ts";
import type { TaskProcess } from "./process.ts";
import { newEntry, type Pod } from "./making.ts";
import { endStrays, recordedPids } from "./recovering.ts";
import { Task } from "./task.ts";
import { Code, type Request, StatusError } from "./ttrpc.ts";

const SERVICES = ["containerd.task.v2.Task", "containerd.task.v3.Task"];

/** So many of those that were deleted are remembered, for whoever asks once more. */
const DELETED_MAX = 8;

/** The answer comes later: the monitor tells of the request once more. */
const PARKED = Symbol("parked");

type Calls = typeof CALLS;
type Name = keyof Calls;
type Asked<N extends Name> = Decoded<Calls[N][0]>;
type Told<N extends Name> = Encodable<Calls[N][1]>;
type Handlers = {
  readonly [N in Name]: (
    request: Asked<N>,
    frame: Frame,
  ) => Promise<Told<N> | typeof PARKED>;
};

/** Serves what comes for one monitor. */
export class TaskService {
  readonly #pod: Pod;
  readonly #tasks = new Map<string, Task>();
  /** Those that were deleted, for whoever asks once more. */
  readonly #deleted = new Map<string, Task>();
  readonly #handlers: Handlers = {
    State: (request) => this.#state(request),
    Create: (request, frame) => this.#create(request, frame),
    Start: async ({ id, exec_id }, { attempt }) => ({
      pid: await this.#task(id).start(exec_id, attempt > 1),
    }),
    Delete: (request, frame) => this.#delete(request, frame),
    Pids: (request) => this.#pids(request),
    Pause: ({ id }, frame) => this.#change(id, "paused", frame),
    Resume: ({ id }, frame) => this.#change(id, "resumed", frame),
    Checkpoint: async ({ id, path, options }) => {
      const task = this.#task(id);
      const { checkpointTask } = await import("./image.ts");
      await checkpointTask(task, path, checkpointOptions(options));
      task.tellDone("checkpointed", path);
      return {};
    },
    Kill: (request) => this.#kill(request),
    Exec: (request, frame) => this.#exec(request, frame),
    ResizePty: (request) => this.#resize(request),
    CloseIO: (request) => this.#closeInput(request),
    Update: (request) => this.#update(request),
    Wait: (request, frame) => this.#wait(request, frame),
    Stats: (request) => this.#stats(request),
    Connect: ({ id }) =>
      Promise.resolve({
        shim_pid: this.#pod.monitorProcess.pid,
        task_pid: this.#tasks.get(id)?.entry.init.pid ?? 0,
        version: "v2",
      }),
    Shutdown: () => Promise.resolve({}),
  };

  constructor(pod: Pod) {
    this.#pod = pod;
  }

  /** Whether there is no task. */
  get isEmpty(): boolean {
    return this.#tasks.size === 0;
  }

  /** Goes on with what the brain before has written down. */
  async recover(): Promise<void> {
    const { files, runtime, monitorProcess: { pid } } = this.#pod;
    const entries = files.read(runtime.warn);
    if (entries.length === 0) return;
    const tasks = entries.map((entry) => new Task(this.#pod, entry));
    const known = tasks.flatMap(({ directory, entry }) => recordedPids(directory, entry));
    await endStrays(runtime, pid, new Set(known));
    for (const task of tasks) {
      const { id, phase } = task.entry;
      if (phase === "deleted") this.#deleted.set(id, task);
      else if (phase === "creating") await task.forget();
      else {
        this.#tasks.set(id, task);
        await task.recover();
      }
    }
  }

  /** The monitor has told of an end. */
  ended(end: Ended): void {
    const { id, execId } = idsOf(end.name);
    this.#tasks.get(id)?.noteEnded(execId, end);
  }

  /** What is to be answered; undefined: nothing, now. Throws StatusError. */
  async call({ service, method, payload }: Request, frame: Frame): Promise<Uint8Array | undefined> {
    if (!SERVICES.includes(service)) throw unimplemented(`service ${service}`);
    if (!Object.hasOwn(CALLS, method)) throw unimplemented(`method ${method}`);
    const [takes, gives]: readonly [Message, Message] = CALLS[method as Name];
    const handle = this.#handlers[method as Name] as (
      request: Decoded<Message>,
      frame: Frame,
    ) => Promise<Encodable<Message> | typeof PARKED>;
    try {
      const told = await handle(decodeMessage(takes, payload), frame);
      return told === PARKED ? undefined : encodeMessage(gives, told);
    } catch (error) {
      throw statusOf(error);
    }
  }

  /** What has ended is seen to; nothing more is done or told here. */
  async leave(): Promise<void> {
    await Promise.all([...this.#tasks.values()].map((task) => task.ended()));
    for (const task of [...this.#tasks.values(), ...this.#deleted.values()]) task.leave();
  }

  /** Resolves once containerd knows of all events. */
  async told(): Promise<void> {
    const all = [...this.#tasks.values(), ...this.#deleted.values()];
    await Promise.all(all.map((task) => task.told()));
  }

  #task(id: string): Task {
    const task = this.#tasks.get(id);
    if (task === undefined) throw notFound(`container ${id}`);
    return task;
  }

  async #create(request: Asked<"Create">, { attempt }: Frame): Promise<Told<"Create">> {
    const { id } = request;
    const known = this.#tasks.get(id);
    if (known !== undefined) {
      if (attempt > 1) return { pid: known.entry.init.pid };
      throw new StatusError(Code.alreadyExists, `container ${id}: already exists`);
    }
    try {
      const options = taskOptions(request.options);
      const task = new Task(this.#pod, newEntry(this.#pod, request, options));
      this.#tasks.set(id, task);
      await task.create(request, options);
      this.#deleted.delete(id);
      return { pid: task.entry.init.pid };
    } catch (error) {
      this.#tasks.delete(id);
      throw statusOf(error, "create");
    }
  }

  async #delete({ id, exec_id }: Asked<"Delete">, { attempt }: Frame): Promise<Told<"Delete">> {
    const before = attempt > 1 ? this.#deleted.get(id)?.entry.init : undefined;
    if (exec_id === "" && before?.exit && !this.#tasks.has(id)) {
      return exitResponse(before.pid, before.exit);
    }
    const task = this.#task(id);
    const { pid, exit } = await task.remove(exec_id);
    if (exec_id === "") {
      this.#tasks.delete(id);
      this.#deleted.set(id, task);
      this.#forgetOld();
    }
    return exitResponse(pid, exit);
  }

  /** Whoever would ask once more has done so by now. */
  #forgetOld(): void {
    for (const [id, { entry }] of this.#deleted) {
      if (this.#deleted.size <= DELETED_MAX) return;
      if (entry.outbox.length > 0) continue; // it is still to be told of
      this.#deleted.delete(id);
      this.#pod.files.remove(id);
    }
  }

  // deno-lint-ignore require-await
  async #exec(request: Asked<"Exec">, { attempt }: Frame): Promise<Told<"Exec">> {
    const { id, exec_id, stdin, stdout, stderr, terminal, spec } = request;
    const text = new TextDecoder().decode(spec?.value ?? new Uint8Array());
    this.#task(id).addExec(exec_id, { stdin, stdout, stderr, terminal }, text, attempt > 1);
    return {};
  }

  // deno-lint-ignore require-await
  async #state({ id, exec_id }: Asked<"State">): Promise<Told<"State">> {
    const task = this.#task(id);
    const process = task.process(exec_id);
    const { io, pid, exit } = process.entry;
    return {
      id,
      bundle: task.entry.bundle,
      pid,
      status: statusNumber(task, process),
      stdin: io.stdin,
      stdout: io.stdout,
      stderr: io.stderr,
      terminal: io.terminal,
      exec_id,
      ...(exit && { exit_status: exit.code, exited_at: timestamp(BigInt(exit.at)) }),
    };
  }

  async #wait(
    { id, exec_id }: Asked<"Wait">,
    frame: FrameName,
  ): Promise<Told<"Wait"> | typeof PARKED> {
    const process = this.#task(id).process(exec_id);
    await process.begun.promise;
    await process.ending;
    const { exit } = process.entry;
    if (exit !== undefined) {
      return { exit_status: exit.code, exited_at: timestamp(BigInt(exit.at)) };
    }
    await this.#pod.monitor.park(frame, monitorName(id, exec_id));
    return PARKED;
  }

  async #kill({ id, exec_id, signal, all }: Asked<"Kill">): Promise<Told<"Kill">> {
    const task = this.#task(id);
    const process = task.process(exec_id);
    if (exec_id === "") {
      if (process.state === "stopped" && !all) throw finished();
      await kill(task.runtime, { id, signal, all });
      return {};
    }
    if (process.state !== "running") throw finished();
    const { helper } = task.runtime;
    const pidfd = helper.openPidfd(process.entry.pid);
    try {
      if (process.state !== "running" || process.ending !== undefined) throw finished();
      helper.sendSignal(pidfd, signal);
    } finally {
      helper.close(pidfd);
    }
    return {};
  }

  async #pids({ id }: Asked<"Pids">): Promise<Told<"Pids">> {
    const task = this.#task(id);
    const execs = [...task.processes].filter(({ execId }) => execId !== "");
    const processes = (await ps(task.runtime, { id })).map((pid) => {
      const exec = execs.find((one) => one.entry.pid === pid && one.state === "running");
      if (exec === undefined) return { pid };
      const value = encodeMessage(PROCESS_DETAILS, { exec_id: exec.execId });
      return { pid, info: { type_url: "containerd.runc.v1.ProcessDetails", value } };
    });
    return { processes };
  }

  async #change(
    id: string,
    kind: "paused" | "resumed",
    { attempt }: Frame,
  ): Promise<Record<string, never>> {
    const task = this.#task(id);
    const state = inspectIfRecorded(task.directory)?.state;
    if (attempt > 1 && (state === "paused") === (kind === "paused")) return {};
    await (kind === "paused" ? pause : resume)(task.runtime, { id });
    task.tellDone(kind);
    return {};
  }

  async #closeInput({ id, exec_id }: Asked<"CloseIO">): Promise<Told<"CloseIO">> {
    const task = this.#task(id);
    await task.closeInput(task.process(exec_id));
    return {};
  }

  async #resize(request: Asked<"ResizePty">): Promise<Told<"ResizePty">> {
    const { id, exec_id, width, height } = request;
    const process = this.#task(id).process(exec_id);
    if (process.state === "stopped") throw finished();
    if (process.state === "created" && exec_id !== "") return {};
    try {
      await this.#pod.monitor.resize(monitorName(id, exec_id), width, height);
    } catch (error) {
      if (errnoOf(error) !== ENOTTY) throw error;
    }
    return {};
  }

  async #update({ id, resources }: Asked<"Update">): Promise<Told<"Update">> {
    const task = this.#task(id);
    const text = new TextDecoder().decode(resources?.value ?? new Uint8Array());
    await update(task.runtime, { id, resources: parseResources(text, "resources") });
    return {};
  }

  async #stats({ id }: Asked<"Stats">): Promise<Told<"Stats">> {
    const cgroup = this.#task(id).cgroup();
    if (cgroup === undefined) throw refused("the container has no cgroup");
    const { metrics } = await import("./stats.ts");
    return { stats: await metrics(cgroup) };
  }
}

function unimplemented(what: string): StatusError {
  return new StatusError(Code.unimplemented, `${what}: not implemented`);
}

function exitResponse(pid: number, exit: { code: number; at: string }): Told<"Delete"> {
  return { pid, exit_status: exit.code, exited_at: timestamp(BigInt(exit.at)) };
}

function statusNumber(task: Task, { execId, state }: TaskProcess): number {
  if (state !== "running" || execId !== "") return TaskStatus[state];
  return inspectIfRecorded(task.directory)?.state === "paused"
    ? TaskStatus.paused
    : TaskStatus.running;
}
