/** One container being made: cgroup, plan, init and the conversation with it. */

import type { Helper } from "../../ffi/helper.ts";
import { inodesOf, makeCgroup } from "../cgroup/mod.ts";
import type { CgroupJoin, CgroupManager } from "../cgroup/manager.ts";
import { callerVariable } from "../base/environment.ts";
import { RuntsError } from "../base/errors.ts";
import { turn } from "../base/patience.ts";
import { runHooks } from "../hooks/runtime_hooks.ts";
import { planContainer } from "../plan/container.ts";
import type { ContainerPlan, SeccompFilter } from "../plan/plan.ts";
import type { State } from "../spec/types/config.ts";
import { bootId } from "../state/inspect.ts";
import type { StateDirectory } from "../state/directory.ts";
import { innerPid, readStat } from "../state/liveness.ts";
import type { StartOp, Status } from "../state/status.ts";
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
import { isInUserNamespace } from "../state/root.ts";
import { seccompFilter } from "../seccomp/filter.ts";
import { spawnInit } from "../init/spawn.ts";
import { callerSize } from "../caller/terminal_size.ts";
import type { CreateOptions, GlobalOptions } from "../caller/options.ts";
import { traceLine, warningLine } from "../init/trace.ts";
import type { Undo } from "../base/undo.ts";

/** What the caller of a foreground container adds. */
export interface Attached {
  /** Connected socket for the terminal's master. */
  readonly console?: number;
  /** Called when init is at work. */
  readonly spawned?: () => void;
}

/** Makes one container; every step that leaves something behind is noted for undoing. */
export class Creation {
  readonly #helper: Helper;
  readonly #global: GlobalOptions;
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

  constructor(
    helper: Helper,
    global: GlobalOptions,
    options: CreateOptions,
    bundle: OpenBundle,
    directory: StateDirectory,
    undo: Undo,
  ) {
    this.#helper = helper;
    this.#global = global;
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
    const { detachMounts, mountIds, newMountIds } = await import("../host/mounts.ts");
    const place = {
      rootfs: absoluteRootfs(path, root.path),
      destinations: mounts.map(({ destination }) => destination),
    };
    const mountsBefore = mountIds(place);
    this.#hostMounts = () => newMountIds(place, mountsBefore);
    this.#undo.add(() => detachMounts(place, this.#hostMounts()));
    return { mountsBefore };
  }

  /** Does it all; init then waits at the fifo and the status says so. */
  async run({ console, spawned }: Attached): Promise<{ pid: number; pidfd: number }> {
    const { spec } = this.#bundle;
    const seccomp = await seccompFilter(spec, this.#global.root);
    const cgroup = await this.#makeCgroup();
    this.#directory.writeIntent({
      creator: { pid: Deno.pid, startTime: readStat(Deno.pid)?.startTime ?? 0 },
      status: this.#status(cgroup, { pid: 0, startTime: 0 }),
      ...await this.#watchMounts(),
    });
    this.#undo.add(async () => {
      await cgroup.killAll(); // a hook may have left processes there
      await cgroup.remove();
    });
    await turn();
    const join = await cgroup.prepare(spec.linux?.resources ?? {});
    if (!join.moved) this.#directory.noteCgroup();
    await turn();
    const plan = this.#plan(cgroup, join, console !== undefined || this.#console, seccomp);
    for (const warning of plan.warnings) this.#global.warn?.(warning);
    using states = await this.#hookStates(plan);
    const init = await this.#spawn(plan, cgroup, console, states);
    this.#undo.add(() => init.abort());
    this.#directory.write("config.json", this.#bundle.text);
    spawned?.();
    await init.converse(this.#answers(plan, cgroup, states), "ready");
    await this.#commit(init, plan, cgroup);
    this.#moved?.[Symbol.dispose]();
    return { pid: init.pid, pidfd: init.pidfd };
  }

  get #console(): boolean {
    return this.#options.consoleSocket !== undefined;
  }

  #makeCgroup(): Promise<CgroupManager> {
    const { cgroupManager, rootless = "auto", warn } = this.#global;
    const { spec } = this.#bundle;
    const cgroupsPath = spec.linux?.cgroupsPath;
    return makeCgroup({
      id: this.#options.id,
      rootless: rootless === "auto" ? Deno.uid() !== 0 || isInUserNamespace() : rootless,
      ...(cgroupManager && { manager: cgroupManager }),
      ...(cgroupsPath && { cgroupsPath }),
      ...(spec.annotations && { annotations: spec.annotations }),
      ...(warn && { warn }),
    });
  }

  #plan(
    cgroup: CgroupManager,
    join: CgroupJoin,
    console: boolean,
    seccomp: SeccompFilter | undefined,
  ): ContainerPlan {
    const listen = listenFds();
    const preserveFds = (this.#options.preserveFds ?? 0) + (listen?.fds ?? 0);
    checkPreserved(this.#helper, preserveFds);
    const notify = callerNotifySocket() !== undefined;
    const size = console ? callerSize(this.#helper) : undefined;
    return planContainer({
      id: this.#options.id,
      spec: this.#bundle.spec,
      bundle: this.#bundle.path,
      host: planHost(cgroup.record),
      cgroup: join,
      noPivot: this.#options.noPivot ?? false,
      noNewKeyring: this.#options.noNewKeyring ?? false,
      console,
      preserveFds,
      ...(size && { consoleSize: size }),
      ...(listen && { listen }),
      ...(notify && { notifyDirectory: makeNotifyDirectory(this.#directory) }),
      ...(seccomp && { seccomp }),
    });
  }

  /** Files for the state documents of the hooks inside, if there are such hooks. */
  async #hookStates({ slots }: ContainerPlan): Promise<HookStates | undefined> {
    if (!slots.some(({ kind }) => kind === "hook-state")) return undefined;
    const { HookStates } = await import("../init/hook_states.ts");
    return new HookStates(this.#helper, slots);
  }

  async #spawn(
    plan: ContainerPlan,
    cgroup: CgroupManager,
    console: number | undefined,
    states: HookStates | undefined,
  ): Promise<InitProcess> {
    const helper = this.#helper;
    const fifo = this.#directory.file("exec.fifo");
    const result = this.#directory.file("result.fifo");
    helper.makeFifo(fifo, 0o600);
    helper.makeFifo(result, 0o600);
    const socket = console ?? await this.#connectConsole();
    try {
      return spawnInit(helper, {
        plan,
        own: {
          fifo,
          result,
          ...(socket !== undefined && { console: socket }),
          ...(states && { states: states.fds }),
        },
        stdio: this.#options.stdio,
        trace: this.#global.debug !== undefined,
        preserve: (this.#options.preserveFds ?? 0) + (listenFds()?.fds ?? 0),
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
      : await connectConsole(this.#helper, consoleSocket);
  }

  #answers(plan: ContainerPlan, cgroup: CgroupManager, states: HookStates | undefined): Answers {
    const { spec } = this.#bundle;
    const { debug, warn } = this.#global;
    return {
      pid: (pid) => this.#pid = pid,
      cgroup: async (pid) => {
        await cgroup.attach(pid);
        this.#directory.noteCgroup();
      },
      maps: (pid) => writeIdMaps(pid, spec.linux ?? {}),
      namespaces: (pid) => this.#namespacesReady(pid, cgroup, states),
      notify: async (pidfd, fd) => {
        const { passOnListener } = await import("../seccomp/listener.ts");
        const pid = this.#pid;
        const state = this.state("creating", pid);
        await passOnListener(this.#helper, spec.linux?.seccomp, { pid, pidfd, fd, state });
      },
      warning: (record) => warn?.(warningLine(record, plan.ops)),
      ...(debug && { trace: async (record) => debug(await traceLine(record, plan.ops)) }),
    };
  }

  /** All namespaces exist, and nothing of the root filesystem yet. */
  async #namespacesReady(
    pid: number,
    cgroup: CgroupManager,
    states: HookStates | undefined,
  ): Promise<void> {
    const { spec } = this.#bundle;
    const owner = ownsCgroup(spec);
    if (owner !== undefined) cgroup.own(owner);
    if (spec.linux?.netDevices !== undefined) {
      const { moveNetDevices } = await import("../net/net_devices.ts");
      const moved = moveNetDevices(this.#helper, pid, spec.linux.netDevices);
      this.#undo.add(() => moved.takeBack());
      this.#moved = moved;
    }
    if (spec.linux?.intelRdt !== undefined) {
      const { joinResctrl } = await import("../host/intel_rdt.ts");
      joinResctrl(this.#options.id, pid, spec.linux.intelRdt, this.#undo);
    }
    if (spec.hooks === undefined) return;
    this.hooksRan = true;
    const state = this.state("creating", pid);
    await runHooks(this.#helper, "prestart", spec, state);
    await runHooks(this.#helper, "createRuntime", spec, state);
    // To those inside, the pid is the one that they see.
    states?.write((status) => this.state(status, innerPid(pid)));
  }

  /** From here on the container exists, whatever becomes of runts. */
  async #commit(init: InitProcess, plan: ContainerPlan, cgroup: CgroupManager): Promise<void> {
    const startTime = readStat(init.pid)?.startTime;
    if (startTime === undefined) throw new RuntsError("init ended as soon as it was ready");
    const hostMounts = this.#hostMounts();
    this.#directory.writeStatus({
      ...this.#status(cgroup, { pid: init.pid, startTime }),
      cgroup: { ...cgroup.record, inodes: inodesOf(cgroup.record.paths) },
      startOps: startOps(plan),
      ...(hostMounts.length > 0 && { hostMounts }),
    });
    this.#directory.clearIntent();
    init.go();
    await init.finish();
  }

  #status(cgroup: CgroupManager, process: { pid: number; startTime: number }): Status {
    const { spec, path } = this.#bundle;
    const { record } = cgroup;
    return {
      ...process,
      cgroupPath: record.subgroup ? `${record.path}/${record.subgroup}` : record.path,
      scope: record.scope ?? "",
      rootfs: spec.root.path,
      systemdCgroup: record.kind === "systemd",
      bundle: path,
      created: new Date().toISOString(),
      owner: Deno.uid() === 0 ? "root" : callerVariable("USER") ?? String(Deno.uid()),
      detached: true,
      externalDescriptors: [0, 1, 2].map(descriptorTarget),
      annotations: spec.annotations ?? {},
      bootId: bootId(),
      cgroup: record,
    };
  }
}

/** What a standard stream is, for checkpoint. */
function descriptorTarget(fd: number): string {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "/dev/null";
  }
}

/** The operations after the wait at the fifo, for `start` to name one that failed, and the filter. */
function startOps(plan: ContainerPlan): StartOp[] {
  const wait = plan.ops.findIndex((op) => op.op === "wait_start");
  return plan.ops.flatMap((step, index) =>
    index <= wait && step.op !== "seccomp" ? [] : [{
      index,
      op: step.op,
      from: step.from,
      ...(step.op === "hook" && { path: step.path }),
    }]
  );
}
