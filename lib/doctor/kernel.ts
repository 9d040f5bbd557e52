/** What the kernel has of what a configuration may ask for. */

import { type Checks, type Host, isSince, works } from "./findings.ts";

/** Names below /proc/PID/ns (namespaces(7)), with the options of the kernel's configuration that make them. */
const NAMESPACES = {
  cgroup: "CONFIG_CGROUPS",
  ipc: "CONFIG_IPC_NS",
  mnt: "CONFIG_NAMESPACES",
  net: "CONFIG_NET_NS",
  pid: "CONFIG_PID_NS",
  time: "CONFIG_TIME_NS",
  user: "CONFIG_USER_NS",
  uts: "CONFIG_UTS_NS",
};

/** File systems that configurations mount; devpts, proc, sysfs and tmpfs every kernel has. */
const FILE_SYSTEMS = {
  mqueue: "CONFIG_POSIX_MQUEUE",
  overlay: "CONFIG_OVERLAY_FS",
  fuse: "CONFIG_FUSE_FS",
};

/** What newer kernels have: the release, and what there is of it. */
const LATER: readonly [major: number, minor: number, what: string][] = [
  [5, 14, "linux.resources.cpu.burst"],
  [5, 15, "linux.resources.cpu.idle"],
  [5, 19, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
  [6, 3, "id maps of a tmpfs"],
];

export const KERNEL: Checks = {
  release: ({ kernel }) => {
    if (isSince(kernel, 5, 12)) return works(`Linux ${kernel}`);
    return {
      condition: "missing",
      found: `Linux ${kernel}`,
      effect: "containers cannot be made",
      remedy: "install a kernel of Linux 5.12 or newer",
    };
  },
  "later features": ({ kernel }) => {
    const missing = LATER.filter(([major, minor]) => !isSince(kernel, major, minor));
    if (missing.length === 0) return works(LATER.map(([, , what]) => what).join(", "));
    const [major, minor] = missing.at(-1)!;
    return {
      condition: "missing",
      found: `Linux ${kernel}`,
      effect: `not to be had: ${missing.map(([, , what]) => what).join(", ")}`,
      remedy: `install a kernel of Linux ${major}.${minor} or newer`,
    };
  },
  namespaces: (host) => {
    const all = Object.entries(NAMESPACES);
    const missing = all.filter(([name]) => !host.has(`${host.proc}/ns/${name}`));
    if (missing.length === 0) return works(all.map(([name]) => name).join(" "));
    return {
      condition: "missing",
      found: `no ${missing.map(([name]) => name).join(", ")}`,
      effect: "linux.namespaces cannot ask for these",
      remedy: `use a kernel with ${missing.map(([, option]) => option).join(", ")}`,
    };
  },
  "file systems": (host) => {
    const all = Object.entries(FILE_SYSTEMS);
    const missing = all.filter(([name]) => !hasFileSystem(host, name));
    if (missing.length === 0) return works(all.map(([name]) => name).join(" "));
    return {
      condition: "missing",
      found: `no ${missing.map(([name]) => name).join(", ")}`,
      effect: "mounts cannot be of these types",
      remedy: `use a kernel with ${missing.map(([, option]) => option).join(", ")}`,
    };
  },
  "executable memory": ({ text }) => {
    const value = text("/proc/sys/vm/memfd_noexec");
    if (value !== "2") return works("files in memory may be executed");
    return {
      condition: "missing",
      found: "vm.memfd_noexec is 2",
      effect: "init cannot be started, and no container be made",
      remedy: "sysctl vm.memfd_noexec=1",
    };
  },
  "ends of processes": ({ kernel }) => {
    if (isSince(kernel, 6, 15)) return works("told to whoever asks");
    return {
      condition: "note",
      found: `Linux ${kernel}`,
      effect: "how a process ended is known to its parent alone; supervised containers have one",
    };
  },
  resctrl: (host) => {
    if (host.has("/sys/fs/resctrl/schemata")) return works("mounted on /sys/fs/resctrl");
    const effect = "linux.intelRdt will not work";
    const flags = /^flags\s*:.* rdt_a( |$)/m.test(host.text("/proc/cpuinfo") ?? "");
    if (!flags) return { condition: "note", found: "this processor has none", effect };
    return {
      condition: "missing",
      found: "not mounted",
      effect,
      remedy: "mount -t resctrl resctrl /sys/fs/resctrl",
    };
  },
};

/** Whether the kernel has it, or a module that it loads when it is asked for. */
function hasFileSystem({ kernel, text }: Host, name: string): boolean {
  const inside = (text("/proc/filesystems") ?? "").split("\n").some((line) =>
    line.split("\t").at(-1) === name
  );
  return inside || (text(`/lib/modules/${kernel}/modules.dep`) ?? "").includes(`/${name}.ko`);
}
