/** A monitor that takes part in the making of a container: the parent of its init. */

import type { Undo } from "../base/undo.ts";
import { MonitorBody } from "../body/monitor.ts";
import type { Monitor } from "../body/monitor_client.ts";
import type { Attendant, Made } from "../container/creation_parts.ts";
import type { CgroupRequest } from "../cgroup/manager.ts";
import { apart, type CgroupName } from "../monitor/cgroup.ts";
import { connectMonitor } from "../monitor/connect.ts";
import { tellRemoved } from "../monitor/end.ts";
import { makeProcessDirectory, watchProcess } from "../monitor/process.ts";
import { isMonitored } from "../monitor/standing.ts";
import { startMonitor } from "../monitor/start.ts";
import { tell } from "../monitor/tell.ts";
import { bootId } from "../runtime/host.ts";
import { type LoadedRuntime, withSettings } from "../runtime/runtime.ts";
import type { Spec } from "../spec/types/config.ts";
import { INIT, type ProcessName } from "../state/process_record.ts";
import { type MonitorRecord, type Supervised, writeSupervised } from "../state/supervised.ts";

/** All of a record but who the monitor is. */
export type Unmonitored = Omit<Supervised, "monitor">;

/** The monitor of a container that is being made, or made anew. */
export class MonitorAttendant implements Attendant, Disposable {
  readonly #settings: Unmonitored;
  readonly #known: MonitorRecord | undefined;
  readonly #terminal: boolean;
  readonly #spec: Spec;
  #monitor: Monitor | undefined;
  #told = false;
  #ready: ((init: ProcessName) => Promise<void>) | undefined;

  /** @param known the monitor that there was, of a container that is made anew */
  constructor(settings: Unmonitored, spec: Spec, known?: MonitorRecord) {
    this.#settings = settings;
    this.#known = known;
    this.#spec = spec;
    this.#terminal = spec.process?.terminal === true;
  }

  /** The monitor has a terminal's master itself. */
  get console(): number | undefined {
    return this.#terminal ? -1 : undefined;
  }

  /** Of the monitor's cgroup, by that of the container's; undefined: the usual one. */
  protected get cgroupName(): CgroupName | undefined {
    return undefined;
  }

  cgroup(runtime: LoadedRuntime, request: CgroupRequest): CgroupRequest {
    return apart(runtime, request);
  }

  async prepare(runtime: LoadedRuntime, made: Made, undo: Undo): Promise<LoadedRuntime> {
    const { directory, cgroup } = made;
    undo.add(() => this.#told && tellRemoved(runtime, directory.id));
    const { monitor, record } = await runtime.timed(
      "start the monitor",
      () => this.#monitorFor(runtime, made, undo),
    );
    this.#monitor = monitor;
    await this.monitored(runtime, monitor);
    makeProcessDirectory(runtime, directory, INIT);
    this.#ready = (init) =>
      watchProcess(runtime, monitor, directory, init, {
        name: INIT,
        spec: this.#spec.process,
        log: this.#settings.log,
        cgroup: cgroup.record,
        monitor: record,
      });
    const output = this.#settings.interactive ? "input and output" : "output";
    const streams = this.#terminal ? "terminal" : output;
    const { umask = runtime.caller.umask } = this.#settings.create;
    const process = { name: INIT, streams, umask } as const;
    return withSettings(runtime, { body: new MonitorBody(runtime.body, monitor, process) });
  }

  /** There is a monitor. */
  protected async monitored(_runtime: LoadedRuntime, _monitor: Monitor): Promise<void> {}

  async ready(init: ProcessName): Promise<void> {
    await this.#ready?.(init);
  }

  /** Tells that there is a new container. */
  async tellCreated(runtime: LoadedRuntime, id: string, pid: number): Promise<void> {
    await tell(runtime, { type: "created", id, pid });
    this.#told = true;
  }

  /** Everything is done; the monitor goes on. */
  [Symbol.dispose](): void {
    this.#monitor?.[Symbol.dispose]();
  }

  async #monitorFor(
    runtime: LoadedRuntime,
    { directory, cgroup }: Made,
    undo: Undo,
  ): Promise<{ monitor: Monitor; record: MonitorRecord }> {
    const known = this.#known;
    if (known && isMonitored({ monitor: known }, runtime.host.get(bootId))) {
      const monitor = await connectMonitor(runtime, directory);
      if (monitor !== undefined) return { monitor, record: known };
    }
    const note = (record: MonitorRecord) =>
      writeSupervised(directory.path, { ...this.#settings, monitor: record });
    return await startMonitor(runtime, directory, cgroup.record, undo, note, this.cgroupName);
  }
}
