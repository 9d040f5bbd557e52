/** What can be limited, and through whom. */

import { type Checks, type Host, works } from "./findings.ts";

/** Controllers of cgroup v2, and what of linux.resources needs them; cgroup v1 calls io blkio. */
const CONTROLLERS: Readonly<Record<string, string>> = {
  cpu: "cpu.shares and cpu.quota",
  cpuset: "cpu.cpus and cpu.mems",
  hugetlb: "hugepageLimits",
  io: "blockIO",
  memory: "memory",
  pids: "pids",
  rdma: "rdma",
};

/** What a user's session is given by systemd once it is told to. */
const DELEGATED = ["cpu", "cpuset", "io", "memory", "pids"];

export const CGROUPS: Checks = {
  layout: ({ cgroups: { mode } }) => {
    if (mode === "v2") return works("cgroup v2");
    if (mode === "none") {
      return {
        condition: "missing",
        found: "no cgroup file system is mounted",
        effect: "containers need --cgroup-manager=disabled, and have no limits",
        remedy: "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
      };
    }
    return {
      condition: "missing",
      found: mode === "v1" ? "cgroup v1" : "controllers of cgroup v1, beside cgroup v2",
      effect: "linux.resources.unified, pressure and delegation to users will not work",
      remedy: "boot with systemd.unified_cgroup_hierarchy=1",
    };
  },
  controllers: (host) => {
    if (host.cgroups.mode === "none") return undefined;
    const there = controllersOf(host);
    const missing = Object.keys(CONTROLLERS).filter((name) => !there.includes(name));
    if (missing.length === 0) return works(there.toSorted().join(" "));
    return {
      condition: "missing",
      found: `no ${missing.join(", ")}`,
      effect: `linux.resources: ${missing.map((name) => CONTROLLERS[name]).join(", ")} ` +
        "will not work",
      remedy: "use a kernel that has them, and no cgroup_disable= on its command line",
    };
  },
  delegation: (host) => {
    const unified = host.cgroups.hierarchies.find(({ controller }) => controller === "");
    if (host.isRoot || host.cgroups.mode !== "v2" || unified === undefined) return undefined;
    const parent = unified.mountPoint + unified.own.replace(/\/[^/]*$/, "");
    const effect = "limits of this user's containers will not work with --cgroup-manager=cgroupfs";
    if (!host.mayWrite(`${parent}/cgroup.procs`)) {
      return {
        condition: "missing",
        found: `${parent} is not this user's`,
        effect,
        remedy: "use --systemd-cgroup, or run inside systemd-run --user --scope -p Delegate=yes",
      };
    }
    const there = (host.text(`${parent}/cgroup.controllers`) ?? "").split(" ");
    const missing = DELEGATED.filter((name) => !there.includes(name));
    if (missing.length === 0) return works(there.join(" "));
    return {
      condition: "missing",
      found: `no ${missing.join(", ")}`,
      effect: "this user's containers cannot be limited by these",
      remedy: `a drop-in of user@.service with [Service] Delegate=${DELEGATED.join(" ")}`,
    };
  },
  swap: (host) => {
    const found = host.cgroups.hierarchies.find(({ controller }) =>
      controller === (host.cgroups.mode === "v2" ? "" : "memory")
    );
    if (found === undefined) return undefined;
    const file = host.cgroups.mode === "v2" ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
    // The root of a hierarchy of cgroup v2 has no limits; where the caller is there, the kernel is asked.
    const isThere = host.cgroups.mode === "v2" && found.own === ""
      ? !/\bswapaccount=0\b/.test(host.text("/proc/cmdline") ?? "")
      : host.has(`${found.mountPoint}${found.own}/${file}`);
    if (isThere) return works("accounted");
    return {
      condition: "missing",
      found: `no ${file}`,
      effect: "linux.resources.memory.swap will not work",
      remedy: "boot with swapaccount=1",
    };
  },
  pressure: (host) => {
    if (host.has("/proc/pressure/cpu")) return works("measured");
    return {
      condition: "missing",
      found: "no /proc/pressure",
      effect: "events and top show no pressure",
      remedy: "boot with psi=1",
    };
  },
  systemd: ({ systemd, isRoot }) => {
    if (systemd === undefined) return works("it answers");
    return {
      condition: "missing",
      found: systemd,
      effect: "--systemd-cgroup will not work",
      remedy: isRoot
        ? "run systemd as the host's init, or use --cgroup-manager=cgroupfs"
        : "log in, or enable lingering: loginctl enable-linger",
    };
  },
};

/** By their names of cgroup v2. */
function controllersOf({ cgroups: { mode, hierarchies }, text }: Host): string[] {
  const unified = hierarchies.find(({ controller }) => controller === "");
  const v2 = unified && text(`${unified.mountPoint}/cgroup.controllers`)?.split(" ");
  const v1 = mode === "v2" ? [] : hierarchies.map(({ controller }) => controller);
  return [...v2 ?? [], ...v1].map((name) => name === "blkio" ? "io" : name)
    .filter((name) => Object.hasOwn(CONTROLLERS, name));
}
