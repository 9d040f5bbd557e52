import { assertEquals } from "@std/assert";
import { type Case, faults, type Json } from "../../support/spec.ts";

function resources(value: Json): Json {
  return { "linux.resources": value };
}

function seccomp(value: Json): Json {
  return { "linux.seccomp": { defaultAction: "SCMP_ACT_ALLOW", ...value } };
}

function rules(...syscalls: Json[]): Json {
  return seccomp({ syscalls });
}

const DEVICE = { major: 8, minor: 0 };

const RESOURCES: Case[] = [
  [resources({})],
  [resources({
    devices: [
      { allow: false, access: "rwm" },
      { allow: true, type: "a", major: -1 },
      { allow: false, access: "a" },
    ],
  })],
  [
    resources({ devices: [{ type: "u", major: -2, access: "rwx" }] }),
    'linux.resources.devices[0].type: "u" is not one of a, c, b',
    "linux.resources.devices[0].major: -2 is not between -1 and 1048575",
    'linux.resources.devices[0].access: "rwx" is not made of the letters r, w and m, or a for all three',
  ],
  [resources({
    memory: { limit: -1, swap: 2n ** 63n - 1n, reservation: 2 ** 63, swappiness: 100 },
  })],
  [
    resources({ memory: { limit: -2, kernel: "1", kernelTCP: 2n ** 63n, swappiness: 101 } }),
    "linux.resources.memory.limit: -2 is less than -1",
    'linux.resources.memory.kernel: "1" is not a whole number',
    "linux.resources.memory.kernelTCP: 9223372036854775808 does not fit into 64 bits",
    "linux.resources.memory.swappiness: 101 is not between 0 and 100",
  ],
  [resources({ memory: { limit: 10, swap: 0 } })],
  [
    resources({ memory: { limit: 10, swap: 9 } }),
    "linux.resources.memory.swap: 9 is below the memory limit 10 that it includes",
  ],
  [resources({
    cpu: { shares: 2, quota: -1, burst: 5, period: 9, cpus: "0,2", mems: "", idle: 1 },
  })],
  [
    resources({ cpu: { quota: 4, burst: 5 } }),
    "linux.resources.cpu.burst: 5 is above the quota 4",
  ],
  [
    resources({ cpu: { shares: 1.5, period: -1, cpus: "all", idle: 2 } }),
    "linux.resources.cpu.shares: 1.5 is not a whole number",
    "linux.resources.cpu.period: -1 is not between 0 and 18446744073709551615",
    'linux.resources.cpu.cpus: "all" is not a list of numbers as 0-3,7',
    "linux.resources.cpu.idle: 2 is not between 0 and 1",
  ],
  ...[-1, 0, 5].map((limit): Case => [resources({ pids: { limit } })]),
  [resources({ pids: {} })],
  [resources({ pids: { limit: -2 } }), "linux.resources.pids.limit: -2 is less than -1"],
  [{ ociVersion: "1.2.0", ...resources({ pids: { limit: -2 } }) }],
];

const DEVICES: Case[] = [
  [resources({ blockIO: { weight: 0, weightDevice: [{ ...DEVICE, leafWeight: 10 }] } })],
  [
    resources({ blockIO: { weight: 65536, weightDevice: [DEVICE] } }),
    "linux.resources.blockIO.weight: 65536 is not between 0 and 65535",
    "linux.resources.blockIO.weightDevice[0]: needs weight or leafWeight",
  ],
  ...[
    "throttleReadBpsDevice",
    "throttleWriteBpsDevice",
    "throttleReadIOPSDevice",
    "throttleWriteIOPSDevice",
  ]
    .map((key): Case => [
      resources({ blockIO: { [key]: [{ ...DEVICE, rate: 5 }, DEVICE] } }),
      `linux.resources.blockIO.${key}[1].rate: is required`,
    ]),
  [resources({ hugepageLimits: [{ pageSize: "2MB", limit: 0 }] })],
  [
    resources({ hugepageLimits: [{ pageSize: "2M" }] }),
    'linux.resources.hugepageLimits[0].pageSize: "2M" is not a size as 2MB',
    "linux.resources.hugepageLimits[0].limit: is required",
  ],
  [resources({ network: { classID: 4294967295, priorities: [{ name: "lo", priority: 1 }] } })],
  [
    resources({ network: { classID: 2 ** 32, priorities: [{ name: "" }] } }),
    "linux.resources.network.classID: 4294967296 is not between 0 and 4294967295",
    'linux.resources.network.priorities[0].name: "" is empty',
    "linux.resources.network.priorities[0].priority: is required",
  ],
  [resources({ rdma: { mlx5_1: { hcaHandles: 0 } } })],
  [
    resources({ rdma: { mlx5_1: {}, "a-b": 1 } }),
    "linux.resources.rdma.mlx5_1: needs hcaHandles or hcaObjects",
    'linux.resources.rdma["a-b"]: 1 is not an object',
  ],
  [resources({ unified: { "memory.high": "max", "unheard.of": "x" } })],
  [
    resources({ unified: { "../memory.high": "1", "a.b": 5 } }),
    'linux.resources.unified["../memory.high"]: "1" belongs to no file of a cgroup: ' +
    "the key is not a file name",
    'linux.resources.unified["a.b"]: 5 is not a string',
  ],
];

const ACTIONS = "SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, " +
  "SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY";
const ALLOW = { names: ["read"], action: "SCMP_ACT_ALLOW" };
const NOTIFY = { names: ["mkdir"], action: "SCMP_ACT_NOTIFY" };

const SECCOMP: Case[] = [
  [seccomp({ architectures: ["SCMP_ARCH_X86_64"], flags: ["SECCOMP_FILTER_FLAG_LOG"] })],
  [{ "linux.seccomp": {} }, "linux.seccomp.defaultAction: is required"],
  [
    seccomp({ defaultAction: "ALLOW", architectures: ["X"], flags: [1] }),
    `linux.seccomp.defaultAction: "ALLOW" is not one of ${ACTIONS}`,
    'linux.seccomp.architectures[0]: "X" is unknown',
    "linux.seccomp.flags[0]: 1 is not a string",
  ],
  [seccomp({ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 38 })],
  [
    seccomp({ defaultErrnoRet: 1 }),
    "linux.seccomp.defaultErrnoRet: 1 has no meaning for SCMP_ACT_ALLOW",
  ],
  [rules({ ...ALLOW, action: "SCMP_ACT_TRACE", errnoRet: 5, args: [] })],
  [
    rules({ ...ALLOW, errnoRet: 5 }),
    "linux.seccomp.syscalls[0].errnoRet: 5 has no meaning for SCMP_ACT_ALLOW",
  ],
  [
    rules({ names: [] }, { names: [""], action: "SCMP_ACT_ALLOW" }),
    "linux.seccomp.syscalls[0].names: has no entry",
    "linux.seccomp.syscalls[0].action: is required",
    'linux.seccomp.syscalls[1].names[0]: "" is empty',
  ],
  [rules({ ...ALLOW, args: [{ index: 0, value: 0xffffffffffffffffn, op: "SCMP_CMP_EQ" }] })],
  [
    rules({ ...ALLOW, args: [{ index: 6, value: -1, valueTwo: "x", op: "EQ" }] }),
    "linux.seccomp.syscalls[0].args[0].index: 6 is not between 0 and 5",
    "linux.seccomp.syscalls[0].args[0].value: -1 is not between 0 and 18446744073709551615",
    'linux.seccomp.syscalls[0].args[0].valueTwo: "x" is not a whole number',
    'linux.seccomp.syscalls[0].args[0].op: "EQ" is not one of SCMP_CMP_NE, SCMP_CMP_LT, ' +
    "SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ",
  ],
];

const LISTENER: Case[] = [
  [seccomp({ listenerPath: "/run/agent.sock", listenerMetadata: "x", syscalls: [NOTIFY] })],
  [
    seccomp({ listenerMetadata: "x" }),
    'linux.seccomp.listenerMetadata: "x" needs listenerPath',
  ],
  [
    rules(ALLOW, NOTIFY),
    'linux.seccomp.syscalls[1].action: "SCMP_ACT_NOTIFY" needs linux.seccomp.listenerPath',
  ],
  [{ ...rules(NOTIFY), annotations: { "run.oci.seccomp.receiver": "/run/agent.sock" } }],
  [
    seccomp({ defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/s" }),
    'linux.seccomp.defaultAction: "SCMP_ACT_NOTIFY" cannot be the default',
  ],
];

for (const [name, cases] of Object.entries({ RESOURCES, DEVICES, SECCOMP, LISTENER })) {
  Deno.test(`validate reports the faults of resources and seccomp: ${name.toLowerCase()}`, () => {
    for (const [changes, ...findings] of cases) {
      assertEquals(faults(changes), findings, Deno.inspect(changes));
    }
  });
}
