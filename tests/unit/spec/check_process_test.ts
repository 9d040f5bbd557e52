import { assertEquals } from "@std/assert";
import { type Case, faults, type Json } from "../../support/spec.ts";

const MAX = 0xffffffffffffffffn;

function limits(...list: [string, unknown, unknown][]): Json {
  return { "process.rlimits": list.map(([type, soft, hard]) => ({ type, soft, hard })) };
}

function scheduler(value: Json): Json {
  return { "process.scheduler": value };
}

const PROCESS: Case[] = [
  [{ process: undefined }],
  [{ process: [] }, "process: [] is not an object"],
  [{ "process.cwd": undefined }, "process.cwd: is required"],
  [{ "process.cwd": "tmp" }, 'process.cwd: "tmp" is not an absolute path'],
  [{ "process.args": undefined }, "process.args: is required"],
  [{ "process.args": [] }, "process.args: has no entry"],
  [{ "process.args": ["", "a"] }, 'process.args[0]: "" names no program'],
  [{ "process.args": ["sh", ""] }],
  [{ "process.args": ["sh", 1] }, "process.args[1]: 1 is not a string"],
  [{ "process.args": ["a\0"] }, 'process.args[0]: "a\\u0000" contains a NUL character'],
  [{ "process.env": ["A=", "B=="] }],
  [{ "process.env": ["A"] }, 'process.env[0]: "A" is not of the form NAME=VALUE'],
  [{ "process.env": ["A=1", "=x"] }, 'process.env[1]: "=x" is not of the form NAME=VALUE'],
  [{ "process.terminal": 1 }, "process.terminal: 1 is not true or false"],
  [{ "process.consoleSize": { height: 24 } }],
  [
    { "process.consoleSize": { height: 65536, width: 1 } },
    "process.consoleSize.height: 65536 is not between 0 and 65535",
  ],
  [{ "process.terminal": false, "process.consoleSize": { height: 65536, width: 1 } }],
  [{ "process.apparmorProfile": 1 }, "process.apparmorProfile: 1 is not a string"],
  [{ "process.selinuxLabel": "" }],
  [{ "process.noNewPrivileges": "" }, 'process.noNewPrivileges: "" is not true or false'],
  [{ "process.oomScoreAdj": -1000 }],
  [{ "process.oomScoreAdj": 1001 }, "process.oomScoreAdj: 1001 is not between -1000 and 1000"],
  [{ "process.oomScoreAdj": 0.5 }, "process.oomScoreAdj: 0.5 is not a whole number"],
  // An unknown capability is a warning since 1.1, not an error.
  [{ "process.capabilities.bounding": ["CAP_UNHEARD_OF"] }],
  [{ "process.capabilities.ambient": [5] }, "process.capabilities.ambient[0]: 5 is not a string"],
  [{ "process.execCPUAffinity": { initial: "0-3, 7", final: "" } }],
  [
    { "process.execCPUAffinity": { initial: "0-", final: "3-1" } },
    'process.execCPUAffinity.initial: "0-" is not a list of numbers as 0-3,7',
    'process.execCPUAffinity.final: "3-1" has a range that ends before it begins',
  ],
];

const USERS: Case[] = [
  [{ "process.user": undefined }],
  [{ "process.user": { uid: 1 } }],
  [{ "process.user": {} }],
  [{ "process.user": { gid: 1, additionalGids: [3] } }],
  [{ "process.user": { uid: 4294967294, gid: 0, umask: 18, additionalGids: [0, 5] } }],
  [
    { "process.user.uid": 4294967295 },
    "process.user.uid: 4294967295 is not between 0 and 4294967294",
  ],
  [{ "process.user.gid": -1 }, "process.user.gid: -1 is not between 0 and 4294967294"],
  [{ "process.user.umask": "022" }, 'process.user.umask: "022" is not a whole number'],
  [
    { "process.user.additionalGids": [1, "2"] },
    'process.user.additionalGids[1]: "2" is not a whole number',
  ],
];

const LIMITS: Case[] = [
  [limits(["RLIMIT_NOFILE", 0, MAX], ["RLIMIT_CORE", 2 ** 64, 2 ** 64])],
  [limits(["RLIMIT_X", 1, 1]), 'process.rlimits[0].type: "RLIMIT_X" is unknown'],
  [
    limits(["RLIMIT_CPU", 1, 1], ["RLIMIT_CPU", 2, 2]),
    'process.rlimits[1]: "RLIMIT_CPU" appears more than once',
  ],
  [limits(["RLIMIT_CPU", 3, 2]), "process.rlimits[0].soft: 3 is above the hard limit 2"],
  [limits(["RLIMIT_CPU", MAX, 2]), `process.rlimits[0].soft: ${MAX} is above the hard limit 2`],
  [
    limits(["RLIMIT_CPU", -1, MAX + 1n]),
    `process.rlimits[0].soft: -1 is not between 0 and ${MAX}`,
    `process.rlimits[0].hard: ${MAX + 1n} is not between 0 and ${MAX}`,
  ],
  [
    { "process.rlimits": [{ type: "RLIMIT_CPU" }] },
    "process.rlimits[0].soft: is required",
    "process.rlimits[0].hard: is required",
  ],
];

const POLICIES = "SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_ISO, SCHED_IDLE, " +
  "SCHED_DEADLINE";

const SCHEDULING: Case[] = [
  [scheduler({ policy: "SCHED_OTHER", nice: 19, flags: ["SCHED_FLAG_RESET_ON_FORK"] })],
  [scheduler({ policy: "SCHED_RR", priority: 99 })],
  [scheduler({ policy: "SCHED_DEADLINE", runtime: 1024, deadline: 2000, period: 2000 })],
  [
    scheduler({ policy: "SCHED_DEADLINE", runtime: 1023, deadline: 2000 }),
    "process.scheduler.runtime: 1023 is below the least of 1024 ns",
  ],
  [
    scheduler({ policy: "SCHED_DEADLINE", runtime: 1024, deadline: 2000, period: 2n ** 63n }),
    "process.scheduler.period: 9223372036854775808 is above 9223372036854775807",
  ],
  [scheduler({}), "process.scheduler.policy: is required"],
  [scheduler({ policy: "X" }), `process.scheduler.policy: "X" is not one of ${POLICIES}`],
  [
    scheduler({ policy: "SCHED_BATCH", nice: -21 }),
    "process.scheduler.nice: -21 is not between -20 and 19",
  ],
  [
    scheduler({ policy: "SCHED_FIFO" }),
    "process.scheduler.priority: SCHED_FIFO needs one from 1 to 99",
  ],
  [
    scheduler({ policy: "SCHED_IDLE", priority: 1 }),
    "process.scheduler.priority: 1 is for SCHED_FIFO and SCHED_RR only",
  ],
  [
    scheduler({ policy: "SCHED_OTHER", flags: ["SCHED_FLAG_X"] }),
    'process.scheduler.flags[0]: "SCHED_FLAG_X" is not one of SCHED_FLAG_RESET_ON_FORK, ' +
    "SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS, " +
    "SCHED_FLAG_UTIL_CLAMP_MIN, SCHED_FLAG_UTIL_CLAMP_MAX",
  ],
  [
    scheduler({ policy: "SCHED_OTHER", runtime: 5, period: 0 }),
    "process.scheduler.runtime: 5 is for SCHED_DEADLINE only",
  ],
  [
    scheduler({ policy: "SCHED_DEADLINE", runtime: 3, deadline: 2 }),
    "process.scheduler.runtime: 3 is not between 1 and the deadline 2",
  ],
  [
    scheduler({ policy: "SCHED_DEADLINE", runtime: 1, deadline: 3, period: 2 }),
    "process.scheduler.deadline: 3 is above the period 2",
  ],
  [{ "process.ioPriority": { class: "IOPRIO_CLASS_IDLE" } }],
  [
    { "process.ioPriority": { class: "IOPRIO_CLASS_NONE", priority: 8 } },
    'process.ioPriority.class: "IOPRIO_CLASS_NONE" is not one of IOPRIO_CLASS_RT, ' +
    "IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE",
    "process.ioPriority.priority: 8 is not between 0 and 7",
  ],
];

const HOOKS: Case[] = [
  [{
    hooks: {
      prestart: [{ path: "/bin/true", args: [], env: [], timeout: 1 }],
      createRuntime: [],
      createContainer: [{ path: "/a", args: ["a"] }],
      startContainer: [{ path: "/a", env: ["A"] }],
      poststart: [{ path: "/a" }],
      poststop: [{ path: "/a" }],
      unheardOf: 1,
    },
  }],
  [{ hooks: { poststop: {} } }, "hooks.poststop: {} is not an array"],
  [{ hooks: { prestart: [{}] } }, "hooks.prestart[0].path: is required"],
  [
    { hooks: { createRuntime: [{ path: "true", timeout: 0 }] } },
    'hooks.createRuntime[0].path: "true" is not an absolute path',
    "hooks.createRuntime[0].timeout: 0 is not between 1 and 4294967295",
  ],
];

for (const [name, cases] of Object.entries({ PROCESS, USERS, LIMITS, SCHEDULING, HOOKS })) {
  Deno.test(`validate reports the faults of process and hooks: ${name.toLowerCase()}`, () => {
    for (const [changes, ...findings] of cases) {
      assertEquals(faults(changes), findings, Deno.inspect(changes));
    }
  });
}
