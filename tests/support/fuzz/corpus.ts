/** Real documents to begin with: those that clients send, the template, and one with everything. */

import { formatJson, parseJson } from "../../../lib/spec/json/json.ts";
import { template } from "../../../lib/spec/template.ts";
import type { Spec } from "../../../lib/spec/types/config.ts";
import { FULL } from "../full_spec.ts";
import { config, type Json } from "../spec.ts";

const CLIENTS = new URL("../configs/", import.meta.url);

/** What neither clients nor the full configuration have. */
const RARE = config({
  "process.scheduler": { policy: "SCHED_DEADLINE", runtime: 1e6, deadline: 1e7, period: 1e7 },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc" },
    { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"] },
    {
      destination: "/data",
      source: "data",
      options: ["rbind", "ridmap", "rro", "rshared"],
      uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
      gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }],
    },
    { destination: "/m", source: "/m", options: ["bind", "idmap=uids=0-1-1#9-9-9;gids=0-5-1"] },
    { destination: "/t", type: "tmpfs", options: ["tmpcopyup", "size=1k", "mode=755"] },
  ],
  "linux.devices": [{ type: "p", path: "/dev/pipe" }, {
    ...{ type: "b", path: "/dev/sda", major: 8, minor: 0, fileMode: 0o660, uid: 1, gid: 1 },
  }],
  "linux.resources": {
    devices: [{ allow: false, access: "rwm" }, { allow: true, type: "b", major: 8, access: "r" }],
    memory: {
      ...{ limit: 1 << 30, reservation: 1 << 20, swap: -1, kernel: 1, kernelTCP: 1 },
      ...{ swappiness: 10, disableOOMKiller: false, checkBeforeUpdate: true, useHierarchy: true },
    },
    cpu: {
      ...{ shares: 1024, quota: 50000, period: 100000, burst: 1, realtimeRuntime: 1 },
      ...{ realtimePeriod: 2, cpus: "0-1", mems: "0", idle: 0 },
    },
    pids: { limit: -1 },
    blockIO: {
      ...{ weight: 100, leafWeight: 10 },
      weightDevice: [{ major: 8, minor: 0, weight: 500, leafWeight: 300 }],
      throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 600 }],
      throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 300 }],
    },
    hugepageLimits: [{ pageSize: "2MB", limit: 9223372036854772000 }],
    network: { classID: 1048577, priorities: [{ name: "eth0", priority: 500 }] },
    rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 } },
    unified: { "io.max": "259:0 rbps=2097152 wiops=120", "memory.high": "max" },
  },
  annotations: {
    "run.oci.systemd.subgroup": "container",
    "org.systemd.property.TimeoutStopUSec": "uint64 5",
    "org.systemd.property.After": "['a.service', 'b.service']",
  },
});

/** Texts of config.json. Seccomp profiles, which are most of what clients send, are cut short. */
export function configs(): string[] {
  const sent = whole().map((text) => {
    const document = parseJson(text, "config.json") as { linux?: { seccomp?: Json } };
    (document.linux?.seccomp?.syscalls as unknown[] | undefined)?.splice(3);
    return formatJson(document);
  });
  const own = [
    template(),
    template({ rootless: { uid: 1000, gid: 1000 }, cgroupNamespace: true }),
    FULL,
    RARE,
  ];
  return [...own.map((document) => formatJson(document)), ...sent];
}

function whole(): string[] {
  const names = Array.from(Deno.readDirSync(CLIENTS), (entry) => entry.name).sort();
  return names.map((name) => Deno.readTextFileSync(new URL(name, CLIENTS)));
}

/** The profiles in full. */
export function profiles(): string[] {
  return [formatJson(FULL), ...whole()].flatMap((text) => {
    const { seccomp } = JSON.parse(text).linux;
    return seccomp === undefined ? [] : [JSON.stringify(seccomp)];
  });
}

/** The part of each configuration that has it, as text. */
export function partsOf(part: (spec: Spec) => unknown): string[] {
  return configs().flatMap((text) => {
    const found = part(parseJson(text, "config.json") as Spec);
    return found === undefined ? [] : [formatJson(found)];
  });
}
