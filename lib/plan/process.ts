/** The process: what containers and `exec` set alike before they execute the program. */

import { numberMask } from "../number_list.ts";
import {
  IO_PRIORITY_CLASSES,
  MEMORY_POLICY_FLAGS,
  MEMORY_POLICY_MODES,
  SCHEDULER_FLAGS,
  SCHEDULER_POLICIES,
} from "../spec/names.ts";
import { RLIM_INFINITY, rlimitNumber } from "../spec/rlimits.ts";
import type { MemoryPolicy, Personality, Process, Rlimit, Scheduler } from "../spec/types.ts";
import { userOf } from "../spec/user.ts";
import { Message } from "../sync.ts";
import type { Draft } from "./draft.ts";
import type { Environment } from "./environment.ts";
import { type IdentityPlan, setCapabilities, setFilterCapabilities, setIds } from "./identity.ts";
import { PROC_SUPER_MAGIC } from "./namespaces.ts";
import type { ProcessOptions } from "./types.ts";

const PERSONALITIES = { LINUX: 0, LINUX32: 8 } as const;
/** MPOL_* (linux/mempolicy.h), in the order of MEMORY_POLICY_MODES. */
export const MEMORY_MODES = [0, 2, 3, 6, 1, 5, 4];
/** MPOL_F_*, in the order of MEMORY_POLICY_FLAGS. */
export const MEMORY_FLAGS = [1 << 13, 1 << 14, 1 << 15];
const IOPRIO_CLASS_SHIFT = 13;
/** Limits that would stop init, if they are not unlimited. */
const INHIBITING = ["RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_AS"];
/** Limits of which init needs some, and how much. */
const COUNTS = ["RLIMIT_NOFILE", "RLIMIT_NPROC"];
const SUFFICIENT = 256;

/** Only what is given is written; a child inherits it. */
export function setOomScore(draft: Draft, score: number | undefined): void {
  if (score === undefined) return;
  draft.add({
    op: "write_file",
    from: "process.oomScoreAdj",
    path: "/proc/self/oom_score_adj",
    data: String(score),
    magic: PROC_SUPER_MAGIC,
  });
}

/** The kernel's rights to run, in a session of its own: before anything is given up. */
export function setScheduling(
  draft: Draft,
  process: Process,
  memoryPolicy: MemoryPolicy | undefined,
  personality: Personality | undefined,
): void {
  const { scheduler, ioPriority } = process;
  if (personality) {
    const domain = PERSONALITIES[personality.domain];
    draft.add({ op: "personality", from: "linux.personality", domain });
  }
  if (memoryPolicy) addMemoryPolicy(draft, memoryPolicy);
  if (scheduler) addScheduler(draft, scheduler);
  if (ioPriority) {
    const level = IO_PRIORITY_CLASSES.indexOf(ioPriority.class) + 1;
    const value = level << IOPRIO_CLASS_SHIFT | (ioPriority.priority ?? 0);
    draft.add({ op: "ioprio", from: "process.ioPriority", value });
  }
}

function addMemoryPolicy(draft: Draft, { mode, nodes = "", flags = [] }: MemoryPolicy): void {
  const number = MEMORY_MODES[MEMORY_POLICY_MODES.indexOf(mode)]!;
  draft.add({
    op: "mempolicy",
    from: "linux.memoryPolicy",
    mode: flags.reduce((bits, f) => bits | MEMORY_FLAGS[MEMORY_POLICY_FLAGS.indexOf(f)]!, number),
    nodes: numberMask(nodes),
  });
}

function addScheduler(draft: Draft, scheduler: Scheduler): void {
  const { policy, nice = 0, priority = 0, flags = [], runtime, deadline, period } = scheduler;
  draft.add({
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

function setLimits(draft: Draft, limits: readonly Rlimit[] = []): void {
  limits.forEach(({ type, soft, hard }, index) => {
    const resource = rlimitNumber(type)!;
    draft.add({ op: "rlimit", from: `process.rlimits[${index}]`, resource, soft, hard });
  });
}

/**
 * Raises the hard limits while that is permitted, which it is not in a user namespace. Low ones
 * that init itself could run into wait for `confine`.
 */
export function raiseLimits(draft: Draft, limits: readonly Rlimit[] = []): void {
  limits.forEach(({ type, hard }, index) => {
    const low = INHIBITING.includes(type) ? RLIM_INFINITY : COUNTS.includes(type) ? SUFFICIENT : 0;
    if (hard < low) return;
    const resource = rlimitNumber(type)!;
    draft.add({ op: "rlimit", from: `process.rlimits[${index}]`, resource, soft: hard, hard });
  });
}

/** A session keyring that is not the caller's. */
export function joinKeyring(draft: Draft, id: string, label: string | undefined): void {
  if (label) addLabel(draft, "process.selinuxLabel", "keycreate", "", label);
  draft.add({ op: "keyring", from: "", name: `_ses.${id}` });
}

function addLabel(draft: Draft, from: string, attr: string, fallback: string, label: string): void {
  draft.add({ op: "label", from, attr, fallback, label });
}

/** The pseudoterminal; its size is known before the program starts. */
export function openConsole(
  draft: Draft,
  process: Process,
  options: ProcessOptions,
  mount: boolean,
): void {
  if (!process.terminal || !options.console) return;
  const { height, width } = process.consoleSize ?? options.consoleSize ?? { height: 0, width: 0 };
  draft.add({
    op: "console",
    from: "process.terminal",
    slot: draft.slot({ kind: "console" }),
    rows: height,
    cols: width,
    uid: userOf(process).uid,
    mount: Number(mount),
  });
}

/** Descriptors that are not for the program. */
export function closeDescriptors(draft: Draft, options: ProcessOptions): void {
  draft.add({ op: "close_fds", from: "", keep: options.preserveFds });
}

/** What `confine` and `execute` need. */
export interface Program {
  readonly process: Process;
  readonly options: ProcessOptions;
  readonly identity: IdentityPlan;
  readonly environment: Environment;
}

/**
 * Limits, labels, ids, capabilities and filter, as far as they come before the start; the program is
 * found with the rights that it will have, and the conversation ends with `ready`.
 */
export function confine(draft: Draft, program: Program, createCwd: boolean): void {
  const { process, identity, options, environment } = program;
  const { apparmorProfile: profile, selinuxLabel } = process;
  const user = userOf(process);
  if (user.umask !== undefined) {
    draft.add({ op: "umask", from: "process.user.umask", mask: user.umask });
  }
  draft.add({ op: "stdio_owner", from: "process.user.uid", uid: user.uid });
  setLimits(draft, process.rlimits);
  if (profile) {
    addLabel(draft, "process.apparmorProfile", "apparmor/exec", "exec", `exec ${profile}`);
  }
  if (selinuxLabel) addLabel(draft, "process.selinuxLabel", "exec", "", selinuxLabel);
  if (process.noNewPrivileges) {
    draft.add({ op: "no_new_privs", from: "process.noNewPrivileges" });
  }
  setIds(draft, identity, createCwd);
  const early = options.seccomp !== undefined && !isFilterLate(program);
  if (early && !process.noNewPrivileges) setFilterCapabilities(draft, identity);
  else setCapabilities(draft, identity);
  findProgram(draft, process, environment);
  if (early) {
    loadFilter(draft, options);
    if (!process.noNewPrivileges) setCapabilities(draft, identity);
  }
  draft.add({ op: "sync", from: "", message: Message.ready });
}

/** A filter with a listener is loaded while runts is there to fetch it. */
function isFilterLate({ process, options }: Program): boolean {
  return process.noNewPrivileges === true && options.seccomp?.notify === false;
}

function findProgram(draft: Draft, { args }: Process, { search }: Environment): void {
  const [name] = args;
  if (name === undefined) return;
  draft.add({ op: "find_program", from: "process.args[0]", name, search });
}

function loadFilter(draft: Draft, { seccomp }: ProcessOptions): void {
  if (!seccomp) return;
  const { flags, filter, notify } = seccomp;
  draft.add({ op: "seccomp", from: "linux.seccomp", flags, filter, notify: Number(notify) });
}

/** The last steps: the filter, if nothing else is to be done under it, and the program. */
export function execute(draft: Draft, program: Program): void {
  const { process, options, environment } = program;
  if (isFilterLate(program)) loadFilter(draft, options);
  draft.add({
    op: "exec",
    from: "process.args",
    args: process.args,
    env: environment.env,
    home: environment.needsHome ? userOf(process).uid : -1,
    self_pid: Number(options.listen !== undefined),
  });
}
