import { assertEquals } from "@std/assert";
import { type Case, faults, type Json, withNamespaces } from "../../support/spec.ts";

const MAPPING = { containerID: 0, hostID: 1000, size: 10 };

/** The configuration with one more namespace. */
function having(type: string, changes: Json, path?: string): Json {
  const namespace = path === undefined ? { type } : { type, path };
  return { ...changes, "linux.namespaces": withNamespaces(namespace) };
}

const TYPES = "pid, network, mount, ipc, uts, user, cgroup, time";

const NAMESPACES: Case[] = [
  [{ linux: [] }, "linux: [] is not an object"],
  [having("cgroup", {}, "")],
  [having("time", {}, "/proc/1/ns/time")],
  [having("net", {}), `linux.namespaces[5].type: "net" is not one of ${TYPES}`],
  [having("pid", {}), 'linux.namespaces[5]: "pid" appears more than once'],
  [having("user", {}, "ns/user"), 'linux.namespaces[5].path: "ns/user" is not an absolute path'],
  [{ "linux.namespaces": withNamespaces({}) }, "linux.namespaces[5].type: is required"],
  [having("user", { "linux.uidMappings": [MAPPING], "linux.gidMappings": [MAPPING] })],
  [
    { "linux.uidMappings": [MAPPING], "linux.gidMappings": [MAPPING] },
    "linux.uidMappings: needs a user namespace in linux.namespaces",
    "linux.gidMappings: needs a user namespace in linux.namespaces",
  ],
  [
    having("user", { "linux.uidMappings": [MAPPING] }),
    "linux.gidMappings: is required with uidMappings",
  ],
  [
    { "linux.namespaces": [{ type: "uts" }] },
    "linux.maskedPaths: needs a mount namespace in linux.namespaces",
    "linux.readonlyPaths: needs a mount namespace in linux.namespaces",
  ],
];

function offsets(value: Json): Json {
  return { "linux.timeOffsets": value };
}

const OFFSETS: Case[] = [
  [offsets({})],
  [having("time", offsets({ monotonic: { secs: -5, nanosecs: 5 }, boottime: {} }))],
  [offsets({ boottime: {} }), "linux.timeOffsets: needs a time namespace in linux.namespaces"],
  [
    having("time", offsets({ boottime: {} }), "/proc/1/ns/time"),
    "linux.timeOffsets: cannot change a time namespace that is joined by path",
  ],
  [
    having("time", offsets({ realtime: { secs: 1 } })),
    "linux.timeOffsets.realtime: is no offset of monotonic or boottime",
  ],
  [
    having("time", offsets({ monotonic: { secs: 2n ** 63n, nanosecs: 1e9 } })),
    "linux.timeOffsets.monotonic.secs: 9223372036854775808 does not fit into 64 bits",
    "linux.timeOffsets.monotonic.nanosecs: 1000000000 is not between 0 and 999999999",
  ],
];

function devices(...list: Json[]): Json {
  return { "linux.devices": list };
}

const NODE = { type: "c", path: "/dev/x", major: 1, minor: 3 };

const DEVICES: Case[] = [
  [devices({ ...NODE, fileMode: 438, uid: 0, gid: 4294967295 }, { type: "p", path: "/fifo" })],
  [devices(NODE, { ...NODE, type: "u" })],
  [
    devices(NODE, { ...NODE, minor: 4 }),
    'linux.devices[1].path: "/dev/x" is device c 1:3 already',
  ],
  [devices({}), "linux.devices[0].type: is required", "linux.devices[0].path: is required"],
  [
    devices({ type: "b", path: "dev" }),
    'linux.devices[0].path: "dev" is not an absolute path',
    "linux.devices[0].major: is required for type b",
    "linux.devices[0].minor: is required for type b",
  ],
  [devices({ ...NODE, type: "s" }), 'linux.devices[0].type: "s" is not one of c, b, u, p'],
  [
    devices({ ...NODE, major: 4096, minor: -1, fileMode: -1 }),
    "linux.devices[0].major: 4096 is not between 0 and 4095",
    "linux.devices[0].minor: -1 is not between 0 and 1048575",
    "linux.devices[0].fileMode: -1 is not between 0 and 4294967295",
  ],
];

function netDevices(value: Json): Json {
  return { "linux.netDevices": value };
}

const NET_DEVICES: Case[] = [
  [netDevices({ eth1: {}, eth2: { name: "a" }, eth3: { name: "b%d" }, eth4: { name: "b%d" } })],
  [
    netDevices({ eth1: {}, eth2: { name: "eth1" } }),
    'linux.netDevices.eth2: "eth1" is the name of another device, too',
  ],
  [
    netDevices({ eth1: { name: "a/b" } }),
    'linux.netDevices.eth1.name: "a/b" is not a name for a network device',
  ],
  [
    netDevices({ eth1: { name: "sixteen-letters-" } }),
    'linux.netDevices.eth1.name: "sixteen-letters-" is not a name for a network device',
  ],
  [
    netDevices({ "a b": {} }),
    'linux.netDevices["a b"]: has a key that is no name of a network device',
  ],
  [
    { ...netDevices({ eth1: {} }), "linux.namespaces": [{ type: "mount" }, { type: "uts" }] },
    "linux.netDevices: needs a network namespace in linux.namespaces",
  ],
];

function sysctl(value: Json): Json {
  return { "linux.sysctl": value };
}

const SYSCTL: Case[] = [
  [sysctl({ "net.ipv4.ip_forward": "1", "net/ipv4/conf/a.b/forwarding": "1" })],
  [sysctl({ "kernel.shmmax": "1", "fs.mqueue.msg_max": "5", "kernel.domainname": "d" })],
  [having("user", sysctl({ "user.max_user_namespaces": "5" }))],
  [
    sysctl({ "user.max_user_namespaces": "5" }),
    'linux.sysctl["user.max_user_namespaces"]: "5" would change the host: ' +
    "there is no user namespace in linux.namespaces",
  ],
  [
    sysctl({ "vm.swappiness": "1" }),
    'linux.sysctl["vm.swappiness"]: "1" would change the host: the parameter has no namespace',
  ],
  [
    sysctl({ "net/../kernel/core_pattern": "|x" }),
    'linux.sysctl["net/../kernel/core_pattern"]: "|x" has a key that names no kernel parameter',
  ],
  [
    sysctl({ "kernel.hostname": "h" }),
    'linux.sysctl["kernel.hostname"]: "h" belongs into the property hostname, which sets this ' +
    "parameter",
  ],
  [
    {
      ...sysctl({ "net.x": "1", "kernel.sem": 5 }),
      "linux.namespaces": [{ type: "mount" }],
      hostname: "",
    },
    'linux.sysctl["net.x"]: "1" would change the host: ' +
    "there is no network namespace in linux.namespaces",
    'linux.sysctl["kernel.sem"]: 5 would change the host: ' +
    "there is no ipc namespace in linux.namespaces",
    'linux.sysctl["kernel.sem"]: 5 is not a string',
  ],
];

function policy(mode: string, nodes?: string, ...flags: string[]): Json {
  return { "linux.memoryPolicy": { mode, flags, ...(nodes === undefined ? {} : { nodes }) } };
}

const POLICY: Case[] = [
  [policy("MPOL_BIND", "0-3,7", "MPOL_F_STATIC_NODES", "MPOL_F_NUMA_BALANCING")],
  [policy("MPOL_PREFERRED")],
  [policy("MPOL_LOCAL", "")],
  [policy("MPOL_INTERLEAVE"), "linux.memoryPolicy.nodes: is required for MPOL_INTERLEAVE"],
  [policy("MPOL_DEFAULT", "0"), 'linux.memoryPolicy.nodes: "0" must be empty for MPOL_DEFAULT'],
  [
    policy("MPOL_BIND", "x"),
    'linux.memoryPolicy.nodes: "x" is not a list of numbers as 0-3,7',
  ],
  [
    policy("MPOL_PREFERRED", "0", "MPOL_F_NUMA_BALANCING"),
    'linux.memoryPolicy.flags[0]: "MPOL_F_NUMA_BALANCING" does not go with MPOL_PREFERRED',
  ],
  [
    policy("MPOL_BIND", "0", "MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"),
    'linux.memoryPolicy.flags[1]: "MPOL_F_RELATIVE_NODES" does not go with MPOL_F_STATIC_NODES',
  ],
  [
    { "linux.memoryPolicy": { mode: "MPOL_X", flags: ["X"] } },
    'linux.memoryPolicy.mode: "MPOL_X" is not one of MPOL_DEFAULT, MPOL_BIND, MPOL_INTERLEAVE, ' +
    "MPOL_WEIGHTED_INTERLEAVE, MPOL_PREFERRED, MPOL_PREFERRED_MANY, MPOL_LOCAL",
    'linux.memoryPolicy.flags[0]: "X" is not one of MPOL_F_NUMA_BALANCING, ' +
    "MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES",
  ],
];

const OTHERS: Case[] = [
  [{ "linux.cgroupsPath": "/a/b" }],
  [{ "linux.cgroupsPath": "system.slice:runts:web" }],
  [{ "linux.cgroupsPath": "a/../../b" }, 'linux.cgroupsPath: "a/../../b" contains ..'],
  [{ "linux.rootfsPropagation": "" }],
  [{ "linux.rootfsPropagation": "rslave" }],
  [
    { "linux.rootfsPropagation": "x" },
    'linux.rootfsPropagation: "x" is not one of shared, slave, ' +
    "private, unbindable, rshared, rslave, rprivate, runbindable",
  ],
  [{ "linux.maskedPaths": ["proc"] }, 'linux.maskedPaths[0]: "proc" is not an absolute path'],
  [{ "linux.readonlyPaths": [""] }, 'linux.readonlyPaths[0]: "" is not an absolute path'],
  [{ "linux.mountLabel": {} }, "linux.mountLabel: {} is not a string"],
  [{ "linux.personality": { domain: "LINUX32", flags: [] } }],
  [
    { "linux.personality": { domain: "BSD", flags: ["X"] } },
    'linux.personality.domain: "BSD" is not one of LINUX, LINUX32',
    'linux.personality.flags[0]: "X" is unknown: no flag is defined',
  ],
  [{ "linux.intelRdt": { closID: "/", memBwSchema: "MB:0=50", schemata: ["L3:0=f"] } }],
  [
    {
      "linux.intelRdt": {
        closID: "..",
        memBwSchema: "L3:0=f",
        schemata: ["a\nb", ""],
        enableMonitoring: 1,
      },
    },
    'linux.intelRdt.closID: ".." is not the name of a resctrl class',
    'linux.intelRdt.memBwSchema: "L3:0=f" is not one line that begins with MB:',
    'linux.intelRdt.schemata[0]: "a\\nb" is not one line',
    'linux.intelRdt.schemata[1]: "" is not one line',
    "linux.intelRdt.enableMonitoring: 1 is not true or false",
  ],
];

const ALL = { NAMESPACES, OFFSETS, DEVICES, NET_DEVICES, SYSCTL, POLICY, OTHERS };
for (const [name, cases] of Object.entries(ALL)) {
  Deno.test(`validate reports the faults of linux: ${name.toLowerCase()}`, () => {
    for (const [changes, ...findings] of cases) {
      assertEquals(faults(changes), findings, Deno.inspect(changes));
    }
  });
}
