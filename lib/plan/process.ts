/** The process: what containers and `exec` set alike before they execute the program. */

import { numberMask } from "../base/numbers.ts";
import {
  IO_PRIORITY_CLASSES,
  MEMORY_POLICY_FLAGS,
  MEMORY_POLICY_MODES,
  SCHEDULER_FLAGS,
  SCHEDULER_POLICIES,
} from "../spec/values/names.ts";
import { rlimitNumber, RLIMITS } from "../spec/values/rlimits.ts";
import type {
  MemoryPolicy,
  Personality,
  Process,
  Rlimit,
  Scheduler,
} from "../spec/types/config.ts";
import { userOf } from "../spec/values/user.ts";
import { Message } from "../wire/messages.ts";
import type { PlanWriter } from "./plan_writer.ts";
import type { Environment } from "./environment.ts";
import { type IdentityPlan, setCapabilities, setFilterCapabilities, setIds } from "./identity.ts";
import { PROC_SUPER_MAGIC } from "./namespaces.ts";
import { LimitRaise, type OpOf } from "../wire/ops.ts";
import type { ProcessOptions } from "./plan.ts";

const PERSONALITIES = { LINUX: 0, LINUX32: 8 } as const;
/** MPOL_* (linux/mempolicy.h), in the order of MEMORY_POLICY_MODES. */
export const MEMORY_MODES = [0, 2, 3, 6, 1, 5, 4];
/** MPOL_F_*, in the order of MEMORY_POLICY_FLAGS. */
export const MEMORY_FLAGS = [1 << 13, 1 << 14, 1 << 15];
const IOPRIO_CLASS_SHIFT = 13;
/**
 * Limits that init runs into while it runs hooks, if they are lower than this. Processes are those of
 * the user on the whole host.
 */
const NEEDED: Readonly<Record<string, number>> = {
  RLIMIT_FSIZE: 1 << 24,
  RLIMIT_DATA: 1 << 24,
  RLIMIT_STACK: 1 << 20,
  RLIMIT_AS: 1 << 24,
  RLIMIT_NPROC: 1 << 15,
  RLIMIT_NOFILE: 1 << 8,
};

/** Only what is given is written; a child inherits it. */
export function setOomScore(writer: PlanWriter, score: number | undefined): void {
  if (score === undefined) return;
  writer.add({
    op: "write_file",
    from: "process.oomScoreAdj",
    path: "/proc/self/oom_score_adj",
    data: String(score),
    magic: PROC_SUPER_MAGIC,
  });
}

/** The kernel's rights to run, in a session of its own: before anything is given up. */
export function setScheduling(
  writer: PlanWriter,
  process: Process,
  memoryPolicy: MemoryPolicy | undefined,
  personality: Personality | undefined,
): void {
  const { scheduler, ioPriority } = process;
  if (personality) {
    const domain = PERSONALITIES[personality.domain];
    writer.add({ op: "personality", from: "linux.personality", domain });
  }
  if (memoryPolicy) addMemoryPolicy(writer, memoryPolicy);
  if (scheduler) addScheduler(writer, scheduler);
  if (ioPriority) {
    const level = IO_PRIORITY_CLASSES.indexOf(ioPriority.class) + 1;
    const value = level << IOPRIO_CLASS_SHIFT | (ioPriority.priority ?? 0);
    writer.add({ op: "ioprio", from: "process.ioPriority", value });
  }
}

function addMemoryPolicy(writer: PlanWriter, { mode, nodes = "", flags = [] }: MemoryPolicy): void {
  const number = MEMORY_MODES[MEMORY_POLICY_MODES.indexOf(mode)]!;
  writer.add({
    op: "mempolicy",
    from: "linux.memoryPolicy",
    mode: flags.reduce((bits, f) => bits | MEMORY_FLAGS[MEMORY_POLICY_FLAGS.indexOf(f)]!, number),
    nodes: numberMask(nodes),
  });
}

function addScheduler(writer: PlanWriter, scheduler: Scheduler): void {
  const { policy, nice = 0, priority = 0, flags = [], runtime, deadline, period } = scheduler;
  writer.add({
    op: "scheduler",
    from: "process.scheduler",
    policy: SCHEDULER_POLICIES.indexOf(policy),
    flags: flags.reduce((bits, flag) => bits | 1 << SCHEDULER_FLAGS.indexOf(flag), 0),
    nice,
    priority,
    runtime: runtime ?? 0,
    deadline: deadline ?? 0,
    period: period ?? 0,
  });
}

/** A limit as the kernel has it, and what asked for it. */
type Limit = Pick<OpOf<"rlimit">, "from" | "resource" | "soft" | "hard">;

function configuredLimits(limits: readonly Rlimit[] = []): Limit[] {
  return limits.map(({ type, soft, hard }, index) => {
    return { from: `process.rlimits[${index}]`, resource: rlimitNumber(type)!, soft, hard };
  });
}

/** Those of the configuration, and the caller's where it has none. */
function programLimits(writer: PlanWriter, limits: readonly Rlimit[] | undefined): Limit[] {
  const configured = configuredLimits(limits);
  const callers = (writer.host.callerLimits ?? [])
    .filter((limit) => !configured.some(({ resource }) => resource === limit.resource))
    .map((limit) => ({ from: "", ...limit }));
  return [...configured, ...callers];
}

/** Sets those of the program's limits that `when` tells of. */
function setLimits(
  writer: PlanWriter,
  { process }: Program,
  when: (limit: Limit) => boolean,
): void {
  for (const limit of programLimits(writer, process.rlimits)) {
    if (when(limit)) writer.add({ op: "rlimit", ...limit, raise: LimitRaise.none });
  }
}

/**
 * Raises the hard limits while that is permitted: in the host's user namespace, and with the caller's
 * rights. A new user namespace has the soft ones of its maker for all its processes together
 * (user_namespaces(7)). Nothing is lowered before the last steps, which are init's own.
 */
export function raiseLimits(
  writer: PlanWriter,
  limits: readonly Rlimit[] | undefined,
  userNamespace: boolean,
): void {
  const raise = userNamespace ? LimitRaise.both : LimitRaise.hard;
  for (const limit of configuredLimits(limits)) writer.add({ op: "rlimit", ...limit, raise });
}

/** Whether init could not run hooks with it. */
function isHindrance({ resource, soft }: Limit): boolean {
  return soft < (NEEDED[RLIMITS[resource] ?? ""] ?? 0);
}

/**
 * A session keyring that is not the caller's.
 *
 * @param own its label, where that is not the program's
 */
export function joinKeyring(
  writer: PlanWriter,
  id: string,
  label: string | undefined,
  own?: string,
): void {
  const from = own === undefined ? "process.selinuxLabel" : "beyond.security.keyringContext";
  const wanted = own ?? label;
  if (wanted) addLabel(writer, from, "keycreate", "", wanted);
  writer.add({ op: "keyring", from: "", name: `_ses.${id}` });
}

function addLabel(
  writer: PlanWriter,
  from: string,
  attr: string,
  fallback: string,
  label: string,
): void {
  writer.add({ op: "label", from, attr, fallback, label });
}

/** The pseudoterminal; its size is known before the program starts. */
export function openConsole(
  writer: PlanWriter,
  process: Process,
  options: ProcessOptions,
  mount: boolean,
): void {
  if (!process.terminal || !options.console) return;
  const { height = 0, width = 0 } = process.consoleSize ?? options.consoleSize ?? {};
  writer.add({
    op: "console",
    from: "process.terminal",
    slot: writer.slot({ kind: "console" }),
    rows: height,
    cols: width,
    uid: userOf(process).uid,
    mount: Number(mount),
  });
}

/** Descriptors that are not for the program. */
export function closeDescriptors(writer: PlanWriter, options: ProcessOptions): void {
  writer.add({ op: "close_fds", from: "", keep: options.preserveFds });
}

/** No node of the host comes into the container; see `streams`. */
export function ownStreams(writer: PlanWriter, userNamespace: boolean): void {
  // From inside a user namespace the host's nodes can be changed by nobody, and none can be made.
  const tolerate = userNamespace || writer.host.inUserNamespace;
  writer.add({ op: "streams", from: "", tolerate: Number(tolerate) });
}

/** What `confine` and `execute` need. */
export interface Program {
  readonly process: Process;
  readonly options: ProcessOptions;
  readonly identity: IdentityPlan;
  readonly environment: Environment;
  /** Hooks run between `confine` and the program. */
  readonly hooks: boolean;
}

/**
 * Labels, ids, capabilities, limits and filter, as far as they come before the start; the program is
 * found with the rights that it will have, and the conversation ends with `ready`.
 *
 * @param last adds what comes before that
 */
export function confine(
  writer: PlanWriter,
  program: Program,
  createCwd: boolean,
  last: () => void = () => {},
): void {
  const { process, identity, options, environment } = program;
  const { apparmorProfile: profile, selinuxLabel } = process;
  const user = userOf(process);
  if (user.umask !== undefined) {
    writer.add({ op: "umask", from: "process.user.umask", mask: user.umask });
  }
  writer.add({ op: "stdio_owner", from: "process.user.uid", uid: user.uid });
  if (profile) {
    addLabel(writer, "process.apparmorProfile", "apparmor/exec", "exec", `exec ${profile}`);
  }
  if (selinuxLabel) addLabel(writer, "process.selinuxLabel", "exec", "", selinuxLabel);
  if (process.noNewPrivileges) {
    writer.add({ op: "no_new_privs", from: "process.noNewPrivileges" });
  }
  setIds(writer, identity, createCwd);
  const early = options.seccomp !== undefined && !isFilterLate(program);
  if (early && !process.noNewPrivileges) setFilterCapabilities(writer, identity);
  else setCapabilities(writer, identity);
  findProgram(writer, process, environment);
  setLimits(writer, program, (limit) => !program.hooks || !isHindrance(limit));
  if (early) {
    loadFilter(writer, options);
    if (!process.noNewPrivileges) setCapabilities(writer, identity);
  }
  last();
  writer.add({ op: "sync", from: "", message: Message.ready });
}

/** A filter with a listener is loaded while runts is there to fetch it. */
function isFilterLate({ process, options }: Program): boolean {
  return process.noNewPrivileges === true && options.seccomp?.notify === false;
}

function findProgram(writer: PlanWriter, { args }: Process, { search }: Environment): void {
  const [name] = args;
  if (name === undefined) return;
  writer.add({ op: "find_program", from: "process.args[0]", name, search });
}

function loadFilter(writer: PlanWriter, { seccomp }: ProcessOptions): void {
  if (!seccomp) return;
  const { flags, filter, notify } = seccomp;
  writer.add({ op: "seccomp", from: "linux.seccomp", flags, filter, notify: Number(notify) });
}

/**
 * The last steps: the filter, if nothing but hooks is to be run under it, those, the limits that they
 * had alone, and the program.
 */
export function execute(writer: PlanWriter, program: Program, addHooks: () => void): void {
  const { process, options, environment } = program;
  if (isFilterLate(program)) loadFilter(writer, options);
  addHooks();
  setLimits(writer, program, (limit) => program.hooks && isHindrance(limit));
  writer.add({
    op: "exec",
    from: "process.args",
    args: process.args,
    env: environment.env,
    home: environment.needsHome ? userOf(process).uid : -1,
    self_pid: Number(options.listen !== undefined),
  });
}
