/** One container being made, step by step: cgroup, init and the conversation with it. */

import type { Child } from "../body/body.ts";
import { inodesOf, makeCgroup } from "../cgroup/mod.ts";
import type { CgroupJoin, CgroupManager } from "../cgroup/manager.ts";
import { RuntsError } from "../base/errors.ts";
import {
  cgroupRequest,
  isSettled,
  planCreation,
  preservedFds,
  recordedOf,
  startOps,
} from "./creation_plan.ts";
import { runHooks } from "../hooks/runtime_hooks.ts";
import { type Attendant, type FirstProcess, type Making, streamsOf } from "./creation_parts.ts";
import { prepareVerbs } from "./prepared.ts";
import type { ContainerPlan, SeccompFilter } from "../plan/plan.ts";
import type { State } from "../spec/types/config.ts";
import { bootId } from "../runtime/host.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import { innerPid, readStat, readStatIn } from "../state/liveness.ts";
import type { Status } from "../state/status.ts";
import { absoluteRootfs } from "../base/absolute.ts";
import type { OpenBundle } from "../caller/bundle.ts";
import { connectConsole } from "../caller/console_socket.ts";
import { documentOf } from "../state/document.ts";
import type { HookStates } from "../init/hook_states.ts";
import { checkPreserved, listenFds, planHost } from "../host/facts.ts";
import { writeIdMaps } from "../userns/id_maps.ts";
import type { Answers, InitProcess } from "../init/conversation.ts";
import { callerNotifySocket, makeNotifyDirectory } from "../caller/readiness.ts";
import { ownsCgroup } from "../cgroup/ownership.ts";
import { seccompFilter } from "../seccomp/filter.ts";
import { spawnInit } from "../init/spawn.ts";
import type { CreateOptions } from "../caller/options.ts";
import { tracing, warningLine } from "../init/trace.ts";
import type { Undo } from "../base/undo.ts";

/** Makes one container; every step that leaves something behind is noted for undoing. */
export class Creation {
  #runtime: LoadedRuntime;
  readonly #options: CreateOptions;
  readonly #bundle: OpenBundle;
  readonly #directory: StateDirectory;
  readonly #undo: Undo;
  /** Whether the hooks of create were begun, so that those of delete are due if it fails. */
  hooksRan = false;
  #pid = 0;
  /** Ids of the mounts that the container has left on the host so far. */
  #hostMounts: () => number[] = () => [];
  #moved?: Disposable;
  /** The process that the records are of which wait for it to be ready. */
  #noted = 0;

  constructor(
    runtime: LoadedRuntime,
    options: CreateOptions,
    bundle: OpenBundle,
    directory: StateDirectory,
    undo: Undo,
  ) {
    this.#runtime = runtime;
    this.#options = options;
    this.#bundle = bundle;
    this.#directory = directory;
    this.#undo = undo;
  }

  /** The state document of the moment; `pid` as runts sees it unless another is given. */
  state(status: State["status"] = "stopped", pid = 0): State {
    const { path: bundle, spec: copy } = this.#bundle;
    return documentOf({ id: this.#options.id, status: { bundle }, copy }, status, pid);
  }

  /**
   * Without a mount namespace, what is mounted from now on is taken away with the container. Gives
   * the ids of what is mounted already.
   */
  async #watchMounts(): Promise<{ mountsBefore?: number[] }> {
    const { spec: { linux, mounts = [], root }, path } = this.#bundle;
    if (linux?.namespaces?.some(({ type }) => type === "mount")) return {};
    const { caller } = this.#runtime;
    const { detachMounts, mountIds, newMountIds } = await import("../host/mounts.ts");
    const place = {
      rootfs: absoluteRootfs(path, root.path),
      destinations: mounts.map(({ destination }) => destination),
    };
    const mountsBefore = mountIds(caller, place);
    this.#hostMounts = () => newMountIds(caller, place, mountsBefore);
    this.#undo.add(() => detachMounts(caller, place, this.#hostMounts()));
    return { mountsBefore };
  }

  /** Does it all; init then waits at the fifo and the status says so. */
  async run(attendant?: Attendant): Promise<Child> {
    const { spec } = this.#bundle;
    const { caller } = this.#runtime;
    const seccomp = attendant?.first ? undefined : await this.#runtime.timed(
      "filter of system calls",
      () => seccompFilter(spec, this.#runtime),
    );
    const request = cgroupRequest(this.#runtime, this.#options.id, spec);
    const cgroup = await makeCgroup(
      this.#runtime,
      attendant?.cgroup?.(this.#runtime, request) ?? request,
    );
    this.#directory.writeIntent({
      creator: { pid: caller.pid, startTime: readStatIn(caller.proc)?.startTime ?? 0 },
      status: this.#status(cgroup, { pid: 0, startTime: 0 }),
      ...await this.#watchMounts(),
    });
    attendant?.intended?.();
    this.#undo.add(async () => {
      await cgroup.killAll(); // a hook may have left processes there
      await cgroup.remove();
    });
    await this.#runtime.turn();
    const join = await this.#runtime.timed(
      "make the cgroup",
      () => cgroup.prepare(spec.linux?.resources ?? {}),
    );
    if (!join.moved) this.#directory.noteCgroup();
    if (attendant?.prepare) {
      const made = { directory: this.#directory, bundle: this.#bundle, cgroup };
      this.#runtime = await attendant.prepare(this.#runtime, made, this.#undo);
    }
    await this.#runtime.turn();
    const first = attendant?.first
      ? await attendant.first(this.#making(cgroup, join, attendant))
      : await this.#first(cgroup, join, attendant, seccomp);
    await this.#runtime.timed(
      "record the container",
      () => this.#commit(first, cgroup, attendant),
    );
    this.#moved?.[Symbol.dispose]();
    return { pid: first.pid, pidfd: first.pidfd };
  }

  #making(cgroup: CgroupManager, join: CgroupJoin, attendant: Attendant): Making {
    const [runtime, options, undo] = [this.#runtime, this.#options, this.#undo];
    return {
      ...{ runtime, options, undo, cgroup, join },
      directory: this.#directory,
      bundle: this.#bundle,
      namespaces: async (pid) => {
        await this.#namespacesReady(pid, cgroup, undefined);
        await attendant.namespaces?.(pid);
      },
    };
  }

  /** Init, made by the plan of the configuration. */
  async #first(
    cgroup: CgroupManager,
    join: CgroupJoin,
    attendant: Attendant | undefined,
    seccomp: SeccompFilter | undefined,
  ): Promise<FirstProcess> {
    const { warn } = this.#runtime;
    const plan = await this.#runtime.timed(
      "plan",
      () => this.#plan(cgroup, join, attendant, seccomp),
    );
    for (const warning of plan.warnings) warn(warning);
    using states = await this.#hookStates(plan);
    const init = await this.#spawn(plan, cgroup, attendant?.console, states, attendant);
    this.#undo.add(() => init.abort());
    this.#directory.replace("config.json", this.#bundle.text);
    attendant?.begin?.(); // while init is at work
    const operations = startOps(plan);
    const answers = {
      ...this.#answers(plan, cgroup, states, attendant),
      ...attendant?.ready === undefined && this.#isSettled && {
        goesOn: (pid: number) =>
          this.#note({ pid, startTime: readStat(pid)?.startTime }, cgroup, operations, attendant),
      },
    };
    await this.#runtime.timed(
      "answer init until it is ready",
      () => init.converse(answers, "ready", this.#options.signal),
    );
    return {
      pid: init.pid,
      pidfd: init.pidfd,
      startOps: operations,
      commit: () => {
        init.go();
        return init.finish();
      },
    };
  }

  get #isSettled(): boolean {
    return isSettled(this.#bundle.spec, this.#options);
  }

  get #console(): boolean {
    return this.#options.consoleSocket !== undefined;
  }

  async #plan(
    managed: CgroupManager,
    join: CgroupJoin,
    attendant: Attendant | undefined,
    seccomp: SeccompFilter | undefined,
  ): Promise<ContainerPlan> {
    const runtime = this.#runtime;
    const console = attendant?.console !== undefined || this.#console;
    const system = attendant?.system;
    const { caller, body } = runtime;
    const listen = listenFds(caller);
    await checkPreserved(body, preservedFds(this.#options, listen));
    const notify = callerNotifySocket(caller) !== undefined;
    const size = console ? await body.terminalSize() : undefined;
    return planCreation({
      options: this.#options,
      bundle: this.#bundle,
      host: planHost(runtime, managed.record),
      join,
      seccomp,
      console,
      listen,
      attended: attendant?.namespaces !== undefined || managed.delegate !== undefined,
      ...(size && { consoleSize: { height: size.rows, width: size.cols } }),
      ...(notify && { notifyDirectory: makeNotifyDirectory(this.#directory) }),
      ...(system && { system }),
    });
  }

  /** Files for the state documents of the hooks inside, if there are such hooks. */
  async #hookStates({ slots }: ContainerPlan): Promise<HookStates | undefined> {
    if (!slots.some(({ kind }) => kind === "hook-state")) return undefined;
    const { HookStates } = await import("../init/hook_states.ts");
    return new HookStates(this.#runtime.helper, slots);
  }

  async #spawn(
    plan: ContainerPlan,
    cgroup: CgroupManager,
    console: number | undefined,
    states: HookStates | undefined,
    attendant: Attendant | undefined,
  ): Promise<InitProcess> {
    const { helper, caller } = this.#runtime;
    const fifo = this.#directory.file("exec.fifo");
    const result = this.#directory.file("result.fifo");
    helper.makeFifo(fifo, 0o600);
    helper.makeFifo(result, 0o600);
    const socket = console ?? await this.#connectConsole();
    try {
      return await spawnInit(this.#runtime, {
        plan,
        own: {
          fifo,
          result,
          ...(socket !== undefined && { console: socket }),
          ...(states && { states: states.fds }),
          ...(attendant?.terminals && { terminals: attendant.terminals }),
        },
        streams: this.#options,
        preserve: preservedFds(this.#options, listenFds(caller)),
        cgroup: cgroup.record,
      });
    } finally {
      if (socket !== undefined && console === undefined) helper.close(socket);
    }
  }

  async #connectConsole(): Promise<number | undefined> {
    const { consoleSocket } = this.#options;
    return consoleSocket === undefined
      ? undefined
      : await connectConsole(this.#runtime, consoleSocket);
  }

  #answers(
    plan: ContainerPlan,
    cgroup: CgroupManager,
    states: HookStates | undefined,
    attendant: Attendant | undefined,
  ): Answers {
    const { spec } = this.#bundle;
    const runtime = this.#runtime;
    return {
      pid: (pid) => this.#pid = pid,
      cgroup: async (pid) => {
        await cgroup.attach(pid);
        this.#directory.noteCgroup();
      },
      maps: (pid) =>
        runtime.timed("write id maps", () => writeIdMaps(runtime, pid, spec.linux ?? {})),
      namespaces: (pid) =>
        runtime.timed("answer to namespaces", async () => {
          await this.#namespacesReady(pid, cgroup, states);
          await attendant?.namespaces?.(pid);
        }),
      notify: async (pidfd, fd) => {
        const { passOnListener } = await import("../seccomp/listener.ts");
        const pid = this.#pid;
        const state = this.state("creating", pid);
        await passOnListener(runtime, spec.linux?.seccomp, { pid, pidfd, fd, state });
      },
      warning: (record) => runtime.warn(warningLine(record, plan.ops)),
      ...tracing(runtime, plan.ops),
    };
  }

  /** All namespaces exist, and nothing of the root filesystem yet. */
  async #namespacesReady(
    pid: number,
    cgroup: CgroupManager,
    states: HookStates | undefined,
  ): Promise<void> {
    const { spec } = this.#bundle;
    cgroup.delegate?.(pid);
    const owner = ownsCgroup(spec);
    if (owner !== undefined) cgroup.own(owner);
    if (spec.linux?.netDevices !== undefined) {
      const { moveNetDevices } = await import("../net/net_devices.ts");
      const moved = moveNetDevices(this.#runtime, pid, spec.linux.netDevices);
      this.#undo.add(() => moved.takeBack());
      this.#moved = moved;
    }
    if (spec.linux?.intelRdt !== undefined) {
      const { joinResctrl, resctrlRoot } = await import("../host/intel_rdt.ts");
      const root = resctrlRoot(this.#runtime.caller);
      joinResctrl(this.#options.id, [pid], spec.linux.intelRdt, this.#undo, root);
    }
    if (spec.hooks === undefined) return;
    this.hooksRan = true;
    const state = this.state("creating", pid);
    const { signal } = this.#options;
    await runHooks(this.#runtime, "prestart", spec, state, signal);
    await runHooks(this.#runtime, "createRuntime", spec, state, signal);
    // To those inside, the pid is the one that they see.
    states?.write((status) => this.state(status, innerPid(pid)));
    if (spec.hooks.createContainer?.length) await this.#runtime.body.shareLock(true);
  }

  /** From here on the container exists, whatever becomes of runts. */
  async #commit(
    { pid, startOps, commit }: FirstProcess,
    cgroup: CgroupManager,
    attendant: Attendant | undefined,
  ): Promise<void> {
    if (this.#noted !== pid) {
      const startTime = readStat(pid)?.startTime;
      if (startTime === undefined) throw new RuntsError("init ended as soon as it was ready");
      await attendant?.ready?.({ pid, startTime });
      this.#note({ pid, startTime }, cgroup, startOps, attendant);
    }
    if (this.#bundle.spec.hooks?.createContainer?.length) {
      await this.#runtime.body.shareLock(false);
    }
    if (this.#runtime.caller.hasEnded?.()) throw new RuntsError("the caller has ended");
    this.#directory.commitStatus();
    this.#directory.clearIntent();
    await commit();
  }

  /** Writes down what counts as soon as there is a status; nothing of a process that has gone. */
  #note(
    { pid, startTime }: { pid: number; startTime: number | undefined },
    cgroup: CgroupManager,
    startOps: FirstProcess["startOps"],
    attendant: Attendant | undefined,
  ): void {
    if (startTime === undefined) return;
    const hostMounts = this.#hostMounts();
    const status = {
      ...this.#status(cgroup, { pid, startTime }),
      cgroup: { ...cgroup.record, inodes: inodesOf(cgroup.record.paths) },
      ...(startOps && { startOps }),
      ...(hostMounts.length > 0 && { hostMounts }),
    };
    if (!attendant?.unprepared) prepareVerbs(this.#directory, status, this.#bundle.spec);
    this.#directory.prepareStatus(status);
    this.#noted = pid;
  }

  #status(cgroup: CgroupManager, process: { pid: number; startTime: number }): Status {
    const { caller, host } = this.#runtime;
    return {
      ...process,
      ...recordedOf(this.#bundle, cgroup.record),
      created: new Date().toISOString(),
      owner: caller.uid === 0 ? "root" : caller.variable("USER") ?? String(caller.uid),
      externalDescriptors: process.pid === 0
        ? []
        : streamsOf(this.#isSettled ? [caller.proc] : [`/proc/${process.pid}`, caller.proc]),
      bootId: host.get(bootId),
    };
  }
}
