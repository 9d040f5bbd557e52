import { config } from "./spec.ts";

/** A configuration with about every property, each of which a test may put something else for. */
export const FULL = config({
  hooks: { prestart: [{ path: "/a", args: ["a"], env: ["A=1"], timeout: 1 }] },
  annotations: { a: "b" },
  "process.consoleSize": { height: 1, width: 1 },
  "process.scheduler": { policy: "SCHED_OTHER", flags: [], nice: 1, priority: 0, runtime: 0 },
  "process.ioPriority": { class: "IOPRIO_CLASS_BE", priority: 1 },
  "process.execCPUAffinity": { initial: "0", final: "1" },
  "linux.namespaces": ["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]
    .map((type) => ({ type, path: "" })),
  "linux.uidMappings": [{ containerID: 0, hostID: 0, size: 1 }],
  "linux.gidMappings": [{ containerID: 0, hostID: 0, size: 1 }],
  "linux.timeOffsets": { monotonic: { secs: 1, nanosecs: 1 } },
  "linux.devices": [{ type: "c", path: "/dev/x", major: 1, minor: 1, fileMode: 1, uid: 1 }],
  "linux.netDevices": { eth1: { name: "eth0" } },
  "linux.cgroupsPath": "/a",
  "linux.rootfsPropagation": "shared",
  "linux.sysctl": { "net.ipv4.ip_forward": "1" },
  "linux.personality": { domain: "LINUX", flags: [] },
  "linux.intelRdt": { closID: "a", schemata: ["L3:0=f"], memBwSchema: "MB:0=1" },
  "linux.memoryPolicy": { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] },
  "linux.resources": {
    devices: [{ allow: true, type: "c", major: 1, minor: 1, access: "rwm" }],
    memory: { limit: 1, swap: 2 },
    cpu: { quota: 2, burst: 1, cpus: "0" },
    pids: { limit: 1 },
    blockIO: { weightDevice: [{ major: 1, minor: 1, weight: 1 }] },
    hugepageLimits: [{ pageSize: "2MB", limit: 1 }],
    network: { priorities: [{ name: "lo", priority: 1 }] },
    rdma: { a: { hcaHandles: 1 } },
    unified: { a: "b" },
  },
  "linux.seccomp": {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    listenerPath: "/a",
    listenerMetadata: "a",
    syscalls: [{
      names: ["read"],
      action: "SCMP_ACT_NOTIFY",
      args: [{ index: 0, value: 1, valueTwo: 1, op: "SCMP_CMP_EQ" }],
    }],
  },
});
