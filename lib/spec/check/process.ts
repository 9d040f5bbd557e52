/** config.md, "Process", "POSIX-platform Hooks": what they must be. */

import type { Finding, Guess, Walk } from "./findings.ts";
import {
  HOOK_KINDS,
  IO_PRIORITY_CLASSES,
  SCHEDULER_FLAGS,
  SCHEDULER_POLICIES,
} from "../values/names.ts";
import { RLIMITS } from "../values/rlimits.ts";
import {
  absolutePath,
  boolean,
  findingsOf,
  isText,
  type ListSchema,
  numberList,
  type ObjectSchema,
  text,
  uint32,
  uint64,
  whole,
} from "./schema.ts";
import type { Process, Rlimit, Scheduler } from "../types/config.ts";

const TEXTS: ListSchema = { items: text };

/** 4294967295 is (uid_t) -1, which system calls take for "leave it". */
const ID = whole(0, 0xfffffffe);

const CAPABILITIES: ObjectSchema = {
  fields: {
    bounding: TEXTS,
    effective: TEXTS,
    inheritable: TEXTS,
    permitted: TEXTS,
    ambient: TEXTS,
  },
};

const RLIMIT: ObjectSchema = {
  required: ["type", "soft", "hard"],
  fields: { type: { names: RLIMITS }, soft: uint64, hard: uint64 },
  rules: [{
    of: ["soft", "hard"],
    check({ soft, hard }: Rlimit, walk) {
      if (soft > hard) walk.report("combination", soft, `is above the hard limit ${hard}`, "soft");
    },
  }],
};

const SCHEDULER: ObjectSchema = {
  required: ["policy"],
  fields: {
    policy: { names: SCHEDULER_POLICIES },
    nice: whole(-20, 19),
    priority: whole(0, 99),
    flags: { items: { names: SCHEDULER_FLAGS } },
    runtime: uint64,
    deadline: uint64,
    period: uint64,
  },
  rules: [
    { of: ["policy", "priority"], check: priorityFits },
    { of: ["policy", "runtime", "deadline", "period"], check: deadlineFits },
  ],
};

/** sched(7). */
function priorityFits({ policy, priority = 0 }: Scheduler, walk: Walk): void {
  const realtime = policy === "SCHED_FIFO" || policy === "SCHED_RR";
  if (realtime && priority === 0) {
    walk.report("combination", undefined, `${policy} needs one from 1 to 99`, "priority");
  } else if (!realtime && priority !== 0) {
    walk.report("combination", priority, `is for SCHED_FIFO and SCHED_RR only`, "priority");
  }
}

/** Of SCHED_DEADLINE, in ns: runtimes are kept in units of this. */
const LEAST_RUNTIME = 1024;
const LONGEST = 2n ** 63n - 1n;

/** sched_setattr(2): runtime <= deadline <= period, a period of 0 is the deadline. */
function deadlineFits(scheduler: Scheduler, walk: Walk): void {
  const { policy, runtime = 0, deadline = 0, period = 0 } = scheduler;
  if (policy !== "SCHED_DEADLINE") {
    for (const key of ["runtime", "deadline", "period"] as const) {
      const value = scheduler[key];
      if (value) walk.report("combination", value, "is for SCHED_DEADLINE only", key);
    }
  } else if (Number(runtime) === 0 || runtime > deadline) {
    walk.report("combination", runtime, `is not between 1 and the deadline ${deadline}`, "runtime");
  } else if (Number(period) !== 0 && deadline > period) {
    walk.report("combination", deadline, `is above the period ${period}`, "deadline");
  } else if (runtime < LEAST_RUNTIME) {
    walk.report("range", runtime, `is below the least of ${LEAST_RUNTIME} ns`, "runtime");
  } else if (deadline > LONGEST || period > LONGEST) {
    const key = deadline > LONGEST ? "deadline" : "period";
    walk.report("range", scheduler[key], `is above ${LONGEST}`, key);
  }
}

/** config.md, "Process". */
export const PROCESS: ObjectSchema = {
  required: ["cwd", "args"],
  fields: {
    terminal: boolean,
    consoleSize: { fields: { height: uint64, width: uint64 } },
    cwd: absolutePath,
    env: { items: environmentEntry },
    args: { items: text, least: 1 },
    rlimits: { items: RLIMIT, unique: (rlimit) => rlimit.type },
    user: { fields: { uid: ID, gid: ID, umask: uint32, additionalGids: { items: ID } } },
    apparmorProfile: text,
    selinuxLabel: text,
    capabilities: CAPABILITIES,
    noNewPrivileges: boolean,
    oomScoreAdj: whole(-1000, 1000),
    scheduler: SCHEDULER,
    ioPriority: {
      required: ["class"],
      fields: { class: { names: IO_PRIORITY_CLASSES }, priority: whole(0, 7) },
    },
    execCPUAffinity: { fields: { initial: numberList, final: numberList } },
  },
  rules: [
    { of: ["terminal", "consoleSize"], check: consoleFits },
    { of: ["args"], check: programNamed },
  ],
};

/** A size counts only with a terminal; then the kernel takes 16 bits (struct winsize). */
function consoleFits({ terminal, consoleSize }: Process, walk: Walk): void {
  for (const key of terminal && consoleSize ? ["height", "width"] as const : []) {
    const value = consoleSize?.[key] ?? 0;
    if (value > 0xffff) {
      walk.report("range", value, "is not between 0 and 65535", "consoleSize", key);
    }
  }
}

function programNamed({ args }: Process, walk: Walk): void {
  if (args?.[0] === "") walk.report("required", "", "names no program", "args", 0);
}

function environmentEntry(value: unknown, walk: Walk): void {
  if (isText(value, walk) && value.indexOf("=") < 1) {
    walk.report("format", value, "is not of the form NAME=VALUE");
  }
}

const HOOK_LIST: ListSchema = {
  items: {
    required: ["path"],
    fields: {
      path: absolutePath,
      args: TEXTS,
      env: TEXTS,
      timeout: whole(1, 0xffffffff),
    },
  },
};

/** config.md, "POSIX-platform Hooks". */
export const HOOKS: ObjectSchema = {
  fields: Object.fromEntries(HOOK_KINDS.map((kind) => [kind, HOOK_LIST])),
};

/** All faults of a process document (`exec --process`). */
export function validateProcess(document: unknown, meant?: Guess): Finding[] {
  return findingsOf(PROCESS, document, meant);
}
