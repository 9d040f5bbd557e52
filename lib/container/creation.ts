/** One container being made, step by step: cgroup, init and the conversation with it. */

import type { Child } from "../body/body.ts";
import { inodesOf, makeCgroup } from "../cgroup/mod.ts";
import type { CgroupJoin, CgroupManager, Newborn } from "../cgroup/manager.ts";
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
import { hookStates, spawnPlanned } from "./creation_init.ts";
import { type Attendant, type FirstProcess, type Making, streamsOf } from "./creation_parts.ts";
import { prepareVerbs } from "./prepared.ts";
import type { ContainerPlan, SeccompFilter } from "../plan/plan.ts";
import type { State } from "../spec/types/config.ts";
import { bootId } from "../runtime/host.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import { innerPid, readStat, readStatIn } from "../state/liveness.ts";
import type { ProcessName } from "../state/process_record.ts";
import type { Status } from "../state/status.ts";
import { absoluteRootfs } from "../base/absolute.ts";
import type { OpenBundle } from "../caller/bundle.ts";
import { documentOf } from "../state/document.ts";
import type { HookStates } from "../init/hook_states.ts";
import { checkPreserved, listenFds, planHost } from "../host/facts.ts";
import { writeIdMaps } from "../userns/id_maps.ts";
import type { Answers, InitProcess } from "../init/conversation.ts";
import { callerNotifySocket, makeNotifyDirectory } from "../caller/readiness.ts";
import { ownsCgroup } from "../cgroup/ownership.ts";
import { seccompFilter } from "../seccomp/filter.ts";
import { canBeLate, giveCgroup } from "../init/spawn.ts";
import type { LateKind } from "../init/descriptors.ts";
import type { CreateOptions } from "../caller/options.ts";
import { tracing, warningLine } from "../init/trace.ts";
import type { Undo } from "../base/undo.ts";

/** The first process of a container that was just made, and the record of it. */
export interface Recorded extends Child {
  readonly status: Status;
}

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
  /** What is recorded as soon as init is ready. */
  #noted: Status | undefined;

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
  async run(attendant?: Attendant): Promise<Recorded> {
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
    const isNeeded = attendant?.prepare !== undefined || attendant?.first !== undefined;
    const foreseen = isNeeded ? undefined : cgroup.foresee?.();
    const join = foreseen ?? await this.#prepare(cgroup);
    if (attendant?.prepare) {
      const made = { directory: this.#directory, bundle: this.#bundle, cgroup };
      this.#runtime = await attendant.prepare(this.#runtime, made, this.#undo);
    }
    await this.#runtime.turn();
    const first = attendant?.first
      ? await attendant.first(this.#making(cgroup, join, attendant))
      : await this.#first(cgroup, join, foreseen !== undefined, attendant, seccomp);
    const status = await this.#runtime.timed(
      "record the container",
      () => this.#commit(first, cgroup, attendant),
    );
    this.#moved?.[Symbol.dispose]();
    return { pid: first.pid, pidfd: first.pidfd, status };
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

  /** Makes the cgroup. */
  async #prepare(cgroup: CgroupManager, newborn?: Newborn): Promise<CgroupJoin> {
    const resources = this.#bundle.spec.linux?.resources ?? {};
    const join = await this.#runtime.timed(
      "make the cgroup",
      () => cgroup.prepare(resources, newborn && { newborn }),
    );
    if (newborn === undefined && !join.moved) this.#directory.noteCgroup();
    return join;
  }

  /** Makes the cgroup for an init that is at work already. */
  async #prepareLate(cgroup: CgroupManager, plan: ContainerPlan, init: InitProcess): Promise<void> {
    const give = (kind: LateKind) => giveCgroup(this.#runtime, init, plan, kind);
    await this.#prepare(cgroup, { ready: () => give("cgroup-dir"), end: () => init.abort() });
    give("cgroup-file");
    this.#directory.noteCgroup();
  }

  /**
   * Init, made by the plan of the configuration.
   *
   * @param isForeseen the cgroup is not there yet
   */
  async #first(
    cgroup: CgroupManager,
    join: CgroupJoin,
    isForeseen: boolean,
    attendant: Attendant | undefined,
    seccomp: SeccompFilter | undefined,
  ): Promise<FirstProcess> {
    const { warn } = this.#runtime;
    const plan = await this.#runtime.timed(
      "plan",
      () => this.#plan(cgroup, join, attendant, seccomp),
    );
    for (const warning of plan.warnings) warn(warning);
    using states = await hookStates(this.#runtime, plan);
    const [runtime, streams] = [this.#runtime, this.#options];
    const preserve = preservedFds(streams, listenFds(runtime.caller));
    const late = isForeseen && await canBeLate(runtime, { plan, streams, preserve });
    if (isForeseen && !late) await this.#prepare(cgroup);
    const init = await spawnPlanned(this.#runtime, this.#options, this.#directory, {
      ...{ plan, late, preserve, states, attendant },
      cgroup: cgroup.record,
    });
    this.#undo.add(() => init.abort());
    if (late) await this.#prepareLate(cgroup, plan, init);
    this.#directory.replace("config.json", this.#bundle.text);
    attendant?.begin?.(); // while init is at work
    const operations = startOps(plan);
    const answers = {
      ...this.#answers(plan, cgroup, states, attendant),
      ...attendant?.ready === undefined && this.#isSettled && {
        goesOn: (pid: number) => this.#noteIfAlive(pid, cgroup, operations, attendant),
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
  ): Promise<Status> {
    let status = this.#noted;
    if (status?.pid !== pid) {
      const startTime = readStat(pid)?.startTime;
      if (startTime === undefined) throw new RuntsError("init ended as soon as it was ready");
      await attendant?.ready?.({ pid, startTime });
      status = this.#note({ pid, startTime }, cgroup, startOps, attendant);
    }
    if (this.#bundle.spec.hooks?.createContainer?.length) {
      await this.#runtime.body.shareLock(false);
    }
    if (this.#runtime.caller.hasEnded?.()) throw new RuntsError("the caller has ended");
    this.#directory.commitStatus();
    this.#directory.clearIntent();
    await commit();
    return status;
  }

  #noteIfAlive(
    pid: number,
    cgroup: CgroupManager,
    startOps: FirstProcess["startOps"],
    attendant: Attendant | undefined,
  ): void {
    const startTime = readStat(pid)?.startTime;
    if (startTime === undefined) return;
    this.#noted = this.#note({ pid, startTime }, cgroup, startOps, attendant);
  }

  /** Writes down what counts as soon as there is a status. */
  #note(
    { pid, startTime }: ProcessName,
    cgroup: CgroupManager,
    startOps: FirstProcess["startOps"],
    attendant: Attendant | undefined,
  ): Status {
    const hostMounts = this.#hostMounts();
    const status = {
      ...this.#status(cgroup, { pid, startTime }),
      cgroup: { ...cgroup.record, inodes: inodesOf(cgroup.record.paths) },
      ...(startOps && { startOps }),
      ...(hostMounts.length > 0 && { hostMounts }),
    };
    if (!attendant?.unprepared) prepareVerbs(this.#directory, status, this.#bundle.spec);
    this.#directory.prepareStatus(status);
    return status;
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
