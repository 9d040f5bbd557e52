/** The configuration that `runts spec` writes: a shell in a container of the usual kind. */

import { OCI_VERSION } from "../base/version.ts";
import type { IdMapping, Mount, Namespace, NamespaceType, Spec } from "./types/config.ts";

interface TemplateOptions {
  /** For a user who is not root: a user namespace that maps this user to root. */
  readonly rootless?: { readonly uid: number; readonly gid: number };
  /** Adds a cgroup namespace, as fits a host with cgroup v2 alone. */
  readonly cgroupNamespace?: boolean;
}

const CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

const MASKED = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/sys/firmware",
  "/proc/scsi",
];

const READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** The configuration; its properties are in the order in which they are written. */
export function template(options: TemplateOptions = {}): Spec {
  const { rootless } = options;
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      cwd: "/",
      capabilities: {
        bounding: CAPABILITIES,
        effective: CAPABILITIES,
        permitted: CAPABILITIES,
      },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "runts",
    mounts: mounts(rootless !== undefined),
    linux: {
      ...(rootless
        ? {
          uidMappings: [ownId(rootless.uid)],
          gidMappings: [ownId(rootless.gid)],
        }
        : { resources: { devices: [{ allow: false, access: "rwm" }] } }),
      namespaces: namespaces(options),
      maskedPaths: MASKED,
      readonlyPaths: READONLY,
    },
  };
}

/** The text of config.json: indented by tabs, without a final newline. */
export function specText(spec: Spec): string {
  return JSON.stringify(spec, null, "\t");
}

function ownId(hostID: number): IdMapping {
  return { containerID: 0, hostID, size: 1 };
}

function namespaces(options: TemplateOptions): Namespace[] {
  const types: NamespaceType[] = ["pid", "ipc", "uts", "mount"];
  // The network of the host: an ordinary user cannot connect another one.
  if (options.rootless) types.push("user");
  else types.splice(1, 0, "network");
  if (options.cgroupNamespace) types.push("cgroup");
  return types.map((type) => ({ type }));
}

function mounts(rootless: boolean): Mount[] {
  const closed = ["nosuid", "noexec", "nodev"];
  // devpts would have to be given to group 5, which a map of one id does not have.
  const tty = rootless ? [] : ["gid=5"];
  return [
    { destination: "/proc", type: "proc", source: "proc" },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", ...tty],
    },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: [...closed, "mode=1777", "size=65536k"],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: closed },
    // A new sysfs needs a network namespace of one's own.
    rootless
      ? { destination: "/sys", type: "none", source: "/sys", options: ["rbind", ...closed, "ro"] }
      : { destination: "/sys", type: "sysfs", source: "sysfs", options: [...closed, "ro"] },
    {
      destination: "/sys/fs/cgroup",
      type: "cgroup",
      source: "cgroup",
      options: [...closed, "relatime", "ro"],
    },
  ];
}
