/** The monitor of a system container, and what the host has to do while one is made. */

import { quote, reason, RuntsError } from "../../base/errors.ts";
import type { Undo } from "../../base/undo.ts";
import { limitDevices } from "../../cgroup/devices/exact.ts";
import type { Monitor } from "../../body/monitor_client.ts";
import type { Made } from "../../container/creation_parts.ts";
import type { CgroupRequest } from "../../cgroup/manager.ts";
import type { CgroupName } from "../../monitor/cgroup.ts";
import type { SystemInput } from "../../plan/system.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import type { StateDirectory } from "../../state/directory.ts";
import type { ProcessName } from "../../state/process_record.ts";
import type { MonitorRecord } from "../../state/supervised.ts";
import { forgetLife } from "../../supervise/anew.ts";
import { MonitorAttendant } from "../../supervise/attendant.ts";
import { chosen } from "../../supervise/options.ts";
import type { SystemPlan } from "../plan/types.ts";
import { loadProfile, unloadProfile } from "./apparmor.ts";
import { writeFiles } from "./cgroup_files.ts";
import { tellState } from "./events.ts";
import { holdNamespaces } from "./held.ts";
import { runStage, runStageWarning } from "./hooks.ts";
import { systemInput, terminalNames } from "./input.ts";
import { giveCgroups } from "./own_cgroups.ts";
import { makeNetwork, Networks, takeDown } from "./network.ts";
import { joinConsole } from "./peer.ts";
import { type SystemRecord, writeSystem } from "./record.ts";

/** Bytes of the console that are kept where the configuration wants no log. */
const UNASKED_LOG = 256 * 1024;

/** What is known once it is being made. */
interface Making {
  readonly runtime: LoadedRuntime;
  readonly made: Made;
  readonly undo: Undo;
}

/** Takes part in the making of a system container. */
export class SystemAttendant extends MonitorAttendant {
  readonly system: SystemInput;
  readonly terminals: Record<string, number> = {};
  readonly #plan: SystemPlan;
  readonly #directory: StateDirectory;
  readonly #isAnew: boolean;
  readonly #open = new DisposableStack();
  #making: Making | undefined;
  #system: Monitor | undefined;

  /** @param known the monitor that there was, of a container that is started anew */
  constructor(
    runtime: LoadedRuntime,
    directory: StateDirectory,
    plan: SystemPlan,
    known?: MonitorRecord,
  ) {
    super(settingsOf(runtime, directory, plan), plan.spec, known);
    this.#plan = plan;
    this.#directory = directory;
    this.#isAnew = known !== undefined;
    this.system = systemInput(runtime.caller, plan);
  }

  /** Where its configuration wants it. */
  override cgroup(_runtime: LoadedRuntime, request: CgroupRequest): CgroupRequest {
    return request;
  }

  /** From now on who is killed here leaves a container that was not made to its end. */
  intended(): void {
    if (this.#isAnew) forgetLife(this.#directory);
  }

  override async prepare(runtime: LoadedRuntime, made: Made, undo: Undo): Promise<LoadedRuntime> {
    const { id } = made.directory;
    this.#making = { runtime, made, undo };
    writeSystem(made.directory, { plan: this.#plan });
    await tellState(runtime, id, "STARTING");
    undo.add(async () => {
      await tellState(runtime, id, "ABORTING");
      await runStageWarning(runtime, this.#plan, "post-stop", { target: "stop" });
      await tellState(runtime, id, "STOPPED");
    });
    await runStage(runtime, this.#plan, "pre-start");
    await loadProfile(runtime, made.directory, this.#plan);
    undo.add(() => unloadProfile(runtime, made.directory, this.#plan));
    writeFiles(this.#plan, made.cgroup.record);
    return await super.prepare(runtime, made, undo);
  }

  protected override async monitored({ helper }: LoadedRuntime, monitor: Monitor): Promise<void> {
    this.#system = monitor;
    for (const name of terminalNames(this.#plan)) {
      const socket = await monitor.terminal(name);
      this.#open.defer(() => helper.close(socket));
      this.terminals[name] = socket;
    }
  }

  /** The monitor holds the namespaces, so that there is something to take down when init has ended. */
  async namespaces(pid: number): Promise<void> {
    const { runtime, made, undo } = this.#making!;
    await giveCgroups(runtime, made.cgroup, this.#plan);
    if (runtime.caller.uid !== 0) return;
    const record = await this.#hold(pid);
    if (!hasNetwork(this.#plan)) return;
    const networks = this.#open.use(new Networks(runtime, `/proc/${pid}/ns/net`));
    const devices = await makeNetwork(runtime, this.#plan, networks);
    undo.add(() => takeDown(runtime, this.#plan, networks, devices));
    writeSystem(this.#directory, { ...record, devices });
  }

  /** An ordinary user may look into init only once it has executed the program. */
  async begun(pid: number): Promise<void> {
    const { runtime } = this.#making!;
    if (runtime.caller.uid === 0) return;
    await this.#hold(pid).catch((error) => {
      runtime.debug?.(`its namespaces are not held: ${reason(error)}`); // it may have ended already
    });
  }

  async #hold(pid: number): Promise<SystemRecord> {
    const held = await holdNamespaces(this.#making!.runtime, this.#system!, this.#plan, pid);
    const record = { plan: this.#plan, held };
    writeSystem(this.#directory, record);
    return record;
  }

  /** Everything is made: now nodes that init needed may be forbidden. */
  override async ready(init: ProcessName): Promise<void> {
    const devices = this.#plan.spec.linux?.resources?.devices ?? [];
    const { runtime, made } = this.#making!;
    // Who is not root may not set rules, and cannot make devices.
    if (devices.length > 1 && !runtime.rootless) await limitDevices(made.cgroup.record, devices);
    writeProc(this.#plan, init.pid);
    await super.ready(init);
    await joinConsole(runtime.body, this.#system!, this.#plan.beyond.console);
  }

  protected override get cgroupName(): CgroupName | undefined {
    const own = this.#plan.spec.linux?.cgroupsPath;
    const { monitor, container, scope } = this.#plan.beyond.cgroup;
    if (own === undefined || scope) return undefined;
    // The number of a cgroup that had to be another one is that of its monitor's, too.
    const [number = ""] = /-\d+$/.exec(own.slice(container.length)) ?? [];
    const place = own.startsWith("/") ? `/${monitor}${number}` : `${monitor}${number}`;
    return (path) => path.slice(0, path.length - own.length) + place;
  }

  override [Symbol.dispose](): void {
    this.#open.dispose();
    super[Symbol.dispose]();
  }
}

/** Whether there is anything to be made, or a script to be told of it. */
function hasNetwork({ beyond: { network } }: SystemPlan): boolean {
  return network.some(({ type, scriptUp }) => type !== "empty" || scriptUp !== undefined);
}

/** Files of /proc that belong to init. */
function writeProc({ beyond: { proc } }: SystemPlan, pid: number): void {
  for (const [index, { file, value }] of proc.entries()) {
    try {
      Deno.writeTextFileSync(`/proc/${pid}/${file}`, value, { create: false });
    } catch (cause) {
      throw new RuntsError(`write ${quote(value)} to ${quote(`/proc/${pid}/${file}`)}`, {
        configPath: `beyond.proc[${index}]`,
        cause: new Error(reason(cause)),
      });
    }
  }
}

/** How it is looked after. */
function settingsOf(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  { beyond: { console }, reaps }: SystemPlan,
): ConstructorParameters<typeof MonitorAttendant>[0] {
  const { logFile, logSize = 0, rotate } = console;
  const log = logFile === undefined
    ? { driver: "cri", maxSize: UNASKED_LOG, maxFiles: 1 } as const
    : { driver: "raw", path: logFile, maxSize: logSize, maxFiles: rotate ? 2 : 1 } as const;
  return {
    // What a program gets that is run for its caller is what the caller types.
    ...chosen(runtime.caller, directory, { log, interactive: reaps === true }),
    create: { bundle: directory.path },
    restarts: 0,
    lastDelay: 0,
    stoppedByHand: false,
  };
}
