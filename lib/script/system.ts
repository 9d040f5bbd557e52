/** A system container as an object, for scripts: what LXC's commands do, in one process. */

import { quote, RuntsError } from "../base/errors.ts";
import type { ExitStatus } from "../caller/options.ts";
import { refuseExec, spawnIn } from "../container/exec.ts";
import { openContainer, refuse } from "../lxc/container.ts";
import { planOpened } from "../lxc/planned.ts";
import { findingText } from "../lxc/config/place.ts";
import { hostFindings } from "../lxc/check.ts";
import { containerNames, volatileNames } from "../lxc/list.ts";
import { madeFor } from "../lxc/life/attach.ts";
import { readCgroup, writeCgroup } from "../lxc/life/cgroup.ts";
import { openTerminal } from "../lxc/life/console.ts";
import { systemEvents, type ToldState } from "../lxc/life/events.ts";
import { networkFacts, type Usage, usageOf } from "../lxc/life/facts.ts";
import { freezeSystem } from "../lxc/life/freeze.ts";
import { systemId } from "../lxc/life/record.ts";
import { startSystem } from "../lxc/life/start.ts";
import { systemNow, type SystemState } from "../lxc/life/state.ts";
import { stopSystem, type SystemStopOptions } from "../lxc/life/stop.ts";
import { waitForState } from "../lxc/life/wait.ts";
import { checkName, type Choice, lxcPath } from "../lxc/place.ts";
import type { Snapshot } from "../lxc/store/snapshot.ts";
import type { SeenNetwork } from "../net/seen.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import { type Runtime, runtimeOf } from "../runtime/runtime.ts";
import { readCopy } from "../state/config_copy.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { ContainerProcess } from "./process.ts";
import { Stdio, type StreamOptions } from "./stdio.ts";
import type {
  SystemAttachOptions,
  SystemCloneOptions,
  SystemCreateOptions,
  SystemOptions,
  SystemStartOptions,
  SystemWaitOptions,
} from "./system_options.ts";
import { SystemTerminal } from "./system_terminal.ts";

/**
 * A container with a configuration of LXC's. It runs under a monitor, and outlives the script. Every method
 * throws {@linkcode RuntsError}, with the line of the configuration where that is to blame.
 */
export class System {
  readonly #runtime: Runtime;
  readonly #choice: Choice & { readonly name: string };
  /** Absolute path of the directory of the containers. */
  readonly lxcpath: string;

  private constructor(
    runtime: Runtime,
    /** Its name. */
    readonly name: string,
    { lxcpath, rcfile, define }: SystemOptions,
  ) {
    this.#runtime = runtime;
    this.lxcpath = lxcPath(runtime, lxcpath);
    this.#choice = { name, lxcpath: this.lxcpath, rcfile, define };
  }

  /** A container by its name, whether it runs or not. Nothing is read before it is needed. */
  static open(name: string, options: SystemOptions = {}): System {
    return new System(runtimeOf(options.runtime ?? options), checkName(name), options);
  }

  /** Those of a directory, that are defined or run. */
  static list(options: Omit<SystemOptions, "rcfile" | "define"> = {}): System[] {
    const runtime = runtimeOf(options.runtime ?? options);
    const path = lxcPath(runtime, options.lxcpath);
    const names = [...containerNames(path), ...volatileNames(runtime, path)].toSorted();
    return names.map((name) => new System(runtime, name, options));
  }

  /** Makes a container by a template, as `lxc create`. When that fails, nothing of it is left. */
  static async create(name: string, options: SystemCreateOptions): Promise<System> {
    const system = System.open(name, options);
    const { createContainer } = await import("../lxc/store/create.ts");
    const { template, args, config, rootfs, signal } = options;
    await createContainer(system.#runtime, {
      ...{ name, lxcpath: system.lxcpath, template, config, rootfs, signal },
      ...(args && { args }),
    });
    return system;
  }

  /** Its id among all containers of the state root, for {@linkcode Container.open} and the verbs. */
  get id(): string {
    return systemId(this.#runtime, this.lxcpath, this.name);
  }

  /** What it does now. */
  get state(): SystemState {
    return systemNow(this.#runtime, this.id).state;
  }

  /** Process id of its init, as the host sees it; undefined where there is none. */
  get pid(): number | undefined {
    return systemNow(this.#runtime, this.id).pid;
  }

  /** Starts it; init has been executed then. False: it ran already. */
  async start({ command, shared, define = [] }: SystemStartOptions = {}): Promise<boolean> {
    const { already } = await startSystem(this.#runtime, {
      ...this.#choice,
      define: [...this.#choice.define ?? [], ...define],
      ...(command && { command }),
      ...(shared && { shared }),
    });
    return !already;
  }

  /** Asks it to halt, and kills it after a time; all of it is gone then. False: it did not run. */
  stop(options: SystemStopOptions = {}): Promise<boolean> {
    return stopSystem(this.#runtime, { ...options, id: this.id });
  }

  /** Asks it to start anew. */
  async reboot(options: Pick<SystemStopOptions, "timeout"> = {}): Promise<void> {
    const asked = await stopSystem(this.#runtime, { ...options, id: this.id, reboot: true });
    if (!asked) throw new RuntsError(`reboot ${quote(this.name)}: it does not run`);
  }

  /** Freezes all its processes; one that is frozen is left alone. */
  freeze(): Promise<void> {
    return freezeSystem(this.#runtime, this.id, true);
  }

  /** Lets them go on. */
  unfreeze(): Promise<void> {
    return freezeSystem(this.#runtime, this.id, false);
  }

  /** Waits until it has come to one of some states. False: not in time. */
  wait(
    states: ToldState | readonly ToldState[],
    { timeout }: SystemWaitOptions = {},
  ): Promise<boolean> {
    return waitForState(this.#runtime, {
      lxcpath: this.lxcpath,
      name: this.name,
      states: typeof states === "string" ? [states] : states,
      ...(timeout !== undefined && { timeout }),
    });
  }

  /** The states that it comes to from now on, until the signal ends it. */
  async *states(signal?: AbortSignal): AsyncGenerator<ToldState, void> {
    for await (const event of systemEvents(this.#runtime, this.lxcpath, signal)) {
      if (event.name === this.name && "state" in event) yield event.state;
    }
  }

  /** Starts one more program in it, and returns once it was executed; no words: the user's shell. */
  attach(
    args: readonly string[] = [],
    options: SystemAttachOptions = {},
  ): Promise<ContainerProcess> {
    const { terminal = false, stdin, stdout, stderr, env = {}, ...others } = options;
    const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return inCommand(this.#runtime, "attach", this.name, async (unloaded) => {
      const directory = new StateDirectory(unloaded, this.#running);
      const found = inspect(directory);
      refuseExec(unloaded, found, { id: this.id });
      const copy = readCopy(directory);
      const given = { ...others, set, args, tty: terminal };
      const made = madeFor(unloaded, copy, found.status.pid, given);
      const runtime = await load(unloaded);
      const stdio = new Stdio(runtime, { stdin, stdout, stderr }, terminal);
      try {
        const all = { id: this.id, args, terminal, ...stdio.targets };
        const request = { ...made, runtime, found, options: all, attendant: stdio };
        const executed = await spawnIn(request);
        stdio.made();
        const process = new ContainerProcess(runtime, this.id, executed, stdio);
        // Whoever is not reaped keeps the init of its pid namespace from ending.
        process.status.catch(() => {});
        return process;
      } catch (error) {
        stdio.fail();
        throw error;
      }
    });
  }

  /** What a program writes that runs in it, and how it ends: `attach`, for short. */
  async run(
    args: readonly string[],
    options: Omit<SystemAttachOptions, keyof StreamOptions | "terminal"> = {},
  ): Promise<ExitStatus & { readonly stdout: string; readonly stderr: string }> {
    const piped = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
    await using process = await this.attach(args, { ...options, ...piped });
    const { stdout, stderr, ...status } = await process.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { ...status, stdout: text(stdout), stderr: text(stderr) };
  }

  /**
   * Takes a terminal, which has one client at a time.
   *
   * @param number 0: the console; default: the first one that is free
   */
  async console(number?: number): Promise<SystemTerminal> {
    return new SystemTerminal(await openTerminal(this.#runtime, this.id, number));
  }

  /** A value of its configuration as LXC prints it; undefined if there is no such key. */
  async config(key: string): Promise<string | undefined> {
    const { config, findings } = await openContainer(this.#runtime, this.#choice);
    refuse(findings);
    return config.show(key);
  }

  /** All that is wrong with its configuration and with what that names on this host, a line each. */
  async check(): Promise<string[]> {
    const opened = await openContainer(this.#runtime, this.#choice);
    const { plan, findings } = await planOpened(this.#runtime, opened);
    return [...new Set([...findings, ...hostFindings(plan)].map(findingText))];
  }

  /** Its network devices and addresses. */
  network(): Promise<SeenNetwork> {
    const { pid } = systemNow(this.#runtime, this.#running);
    return networkFacts(this.#runtime, pid!);
  }

  /** What it uses. */
  usage(): Promise<Usage> {
    return usageOf(this.#runtime, this.#running);
  }

  /** What a file of its cgroup says, as `memory.max`; with a value, that is written first. */
  cgroup(file: string, value?: string): string {
    if (value !== undefined) writeCgroup(this.#runtime, this.#running, file, value);
    return readCgroup(this.#runtime, this.#running, file);
  }

  /** Copies it while it does not run, and gives the copy. When that fails, nothing of the copy is left. */
  async clone(newName: string, options: SystemCloneOptions = {}): Promise<System> {
    const { copyContainer } = await import("../lxc/store/copy.ts");
    const { lxcpath = this.lxcpath, ...manner } = options;
    await copyContainer(this.#runtime, { ...manner, ...this.#place, newName, newPath: lxcpath });
    return this.#other(newName, lxcpath);
  }

  /** Gives it another name while it does not run; this object stands for nothing then. */
  async rename(newName: string): Promise<System> {
    const { renameContainer } = await import("../lxc/store/rename.ts");
    await renameContainer(this.#runtime, { ...this.#place, newName });
    return this.#other(newName, this.lxcpath);
  }

  /** The states that were kept of it, the oldest first. */
  async snapshots(): Promise<Snapshot[]> {
    const { listSnapshots } = await import("../lxc/store/snapshot.ts");
    return await listSnapshots(this.#runtime, this.#place);
  }

  /** Keeps its state while it does not run; gives the name of that. */
  async snapshot(
    options: {
      /** Path of a file that says something of it. */
      readonly comment?: string;
      /** Ends it early; nothing is left then. */
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<string> {
    const { takeSnapshot } = await import("../lxc/store/snapshot.ts");
    return await takeSnapshot(this.#runtime, { ...options, ...this.#place });
  }

  /** Brings it back to a state; with another name, makes that container of the state. */
  async restore(snapshot: string, newName = this.name): Promise<System> {
    const { restoreSnapshot } = await import("../lxc/store/snapshot.ts");
    await restoreSnapshot(this.#runtime, { ...this.#place, snapshot, newName });
    return newName === this.name ? this : this.#other(newName, this.lxcpath);
  }

  /** Removes a state; `ALL`: each of them. */
  async removeSnapshot(snapshot: string): Promise<void> {
    const { destroySnapshot } = await import("../lxc/store/snapshot.ts");
    await destroySnapshot(this.#runtime, { ...this.#place, snapshot });
  }

  /** Removes it and all that was made for it. `force`: also if it runs; `snapshots`: with these. */
  async destroy(
    options: { readonly force?: boolean; readonly snapshots?: boolean } = {},
  ): Promise<void> {
    const { destroyContainer } = await import("../lxc/store/destroy.ts");
    await destroyContainer(this.#runtime, { ...options, ...this.#place });
  }

  /** Brings a device node of the host into it while it runs, under the same path or another one. */
  async addDevice(path: string, inside?: string): Promise<void> {
    const { addDevice } = await import("../lxc/life/device.ts");
    await addDevice(this.#runtime, { id: this.id, kind: "node", device: path, other: inside });
  }

  /** Takes one away again. */
  async removeDevice(path: string, inside?: string): Promise<void> {
    const { removeDevice } = await import("../lxc/life/device.ts");
    await removeDevice(this.#runtime, { id: this.id, kind: "node", device: path, other: inside });
  }

  /** Moves a network device of the host into it while it runs, under the same name or another one. */
  async attachInterface(name: string, inside?: string): Promise<void> {
    const { addDevice } = await import("../lxc/life/device.ts");
    await addDevice(this.#runtime, { id: this.id, kind: "network", device: name, other: inside });
  }

  /** Moves one out of it, to the host. */
  async detachInterface(inside: string, name?: string): Promise<void> {
    const { removeDevice } = await import("../lxc/life/device.ts");
    await removeDevice(this.#runtime, {
      id: this.id,
      kind: "network",
      device: inside,
      other: name,
    });
  }

  get #place(): { readonly name: string; readonly lxcpath: string } {
    return { name: this.name, lxcpath: this.lxcpath };
  }

  #other(name: string, lxcpath: string): System {
    return new System(this.#runtime, checkName(name), { lxcpath });
  }

  /** Its id, if it runs. */
  get #running(): string {
    if (this.pid !== undefined) return this.id;
    throw new RuntsError(`container ${quote(this.name)} does not run`);
  }
}
