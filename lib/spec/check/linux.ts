/** config-linux.md, but for resources and seccomp: what `linux` must be. */

import type { Walk } from "./findings.ts";
import {
  MEMORY_POLICY_FLAGS,
  MEMORY_POLICY_MODES,
  NAMESPACE_TYPES,
  ROOTFS_PROPAGATIONS,
} from "../values/names.ts";
import {
  absolutePath,
  boolean,
  int64,
  isText,
  matching,
  numberList,
  type ObjectSchema,
  optionalPath,
  text,
  uint32,
  whole,
} from "./schema.ts";
import { isSysctlName, sysctlNamespace } from "../values/sysctl.ts";
import type { Device, Linux, MemoryPolicy, NamespaceType } from "../types/config.ts";
import { ID_MAPPING, mappingsFit } from "./mounts.ts";
import { RESOURCES } from "./resources.ts";
import { SECCOMP } from "./seccomp.ts";

/** Up to 15 characters; `%d` lets the kernel choose a number. */
const INTERFACE = /^(?!\.\.?$)[^\s/:\0%]{0,15}$|^(?=.{1,15}$)[^\s/:\0%]*%d$/;

const OFFSET: ObjectSchema = { fields: { secs: int64, nanosecs: whole(0, 999_999_999) } };

const DEVICE: ObjectSchema = {
  required: ["type", "path"],
  fields: {
    type: { names: ["c", "b", "u", "p"] },
    path: absolutePath,
    // The kernel has 12 and 20 bits for them (linux/kdev_t.h).
    major: whole(0, 0xfff),
    minor: whole(0, 0xfffff),
    fileMode: uint32,
    uid: uint32,
    gid: uint32,
  },
  rules: [{
    of: ["type"],
    check(device: Device, walk) {
      for (const key of device.type === "p" ? [] : ["major", "minor"] as const) {
        if (device[key] === undefined) {
          walk.report("required", undefined, `is required for type ${device.type}`, key);
        }
      }
    },
  }],
};

/** set_mempolicy(2). */
const MEMORY_POLICY: ObjectSchema = {
  required: ["mode"],
  fields: {
    mode: { names: MEMORY_POLICY_MODES },
    nodes: numberList,
    flags: { items: { names: MEMORY_POLICY_FLAGS } },
  },
  rules: [
    { of: ["mode", "nodes"], check: nodesFit },
    { of: ["mode", "flags"], check: policyFlagsFit },
  ],
};

function nodesFit({ mode, nodes }: MemoryPolicy, walk: Walk): void {
  if (mode === "MPOL_DEFAULT" || mode === "MPOL_LOCAL") {
    if (nodes) walk.report("combination", nodes, `must be empty for ${mode}`, "nodes");
  } else if (!nodes && mode !== "MPOL_PREFERRED") {
    walk.report("required", undefined, `is required for ${mode}`, "nodes");
  }
}

function policyFlagsFit({ mode, nodes, flags = [] }: MemoryPolicy, walk: Walk): void {
  const own = mode === "MPOL_DEFAULT" || mode === "MPOL_LOCAL" ||
    mode === "MPOL_PREFERRED" && !nodes;
  const fixed = flags.includes("MPOL_F_STATIC_NODES");
  for (const [index, flag] of flags.entries()) {
    const balancing = flag === "MPOL_F_NUMA_BALANCING";
    if (own || balancing && mode !== "MPOL_BIND" && mode !== "MPOL_PREFERRED_MANY") {
      walk.report("combination", flag, `does not go with ${mode}`, "flags", index);
    } else if (fixed && flag === "MPOL_F_RELATIVE_NODES") {
      walk.report("combination", flag, "does not go with MPOL_F_STATIC_NODES", "flags", index);
    }
  }
}

/** `linux`. */
export const LINUX: ObjectSchema = {
  fields: {
    namespaces: {
      items: {
        required: ["type"],
        fields: { type: { names: NAMESPACE_TYPES }, path: optionalPath },
      },
      unique: (namespace) => namespace.type,
    },
    uidMappings: { items: ID_MAPPING },
    gidMappings: { items: ID_MAPPING },
    timeOffsets: { keys: clock, values: OFFSET },
    devices: { items: DEVICE },
    netDevices: {
      keys: networkDevice,
      values: { fields: { name: matching(INTERFACE, "a name for a network device", "name") } },
    },
    cgroupsPath: cgroupPath,
    resources: RESOURCES,
    rootfsPropagation: { names: [...ROOTFS_PROPAGATIONS, ""] },
    seccomp: SECCOMP,
    sysctl: { keys: sysctl, values: text },
    maskedPaths: { items: absolutePath },
    readonlyPaths: { items: absolutePath },
    mountLabel: text,
    personality: {
      required: ["domain"],
      fields: { domain: { names: ["LINUX", "LINUX32"] }, flags: { items: noFlag } },
    },
    intelRdt: {
      fields: {
        closID: matching(/^(?!\.\.?$)(?:[^/\n]*|\/)$/, "the name of a resctrl class"),
        l3CacheSchema: text,
        memBwSchema: matching(/^(?:MB:.*)?$/, "one line that begins with MB:"),
        schemata: { items: matching(/^.+$/, "one line") },
        enableMonitoring: boolean,
      },
    },
    memoryPolicy: MEMORY_POLICY,
  },
  rules: [
    { of: ["uidMappings", "gidMappings"], check: mappingsFit },
    { of: ["uidMappings", "gidMappings"], check: userNamespaceFits },
    { of: ["timeOffsets"], check: timeNamespaceFits },
    { of: ["maskedPaths", "readonlyPaths"], check: mountNamespaceFits },
    { of: ["netDevices"], check: devicesMovable },
    { of: ["devices"], check: devicesDiffer },
  ],
};

/** Without a namespace of its own, the container would change the host. */
function needsNamespace(type: NamespaceType, linux: Linux, key: keyof Linux, walk: Walk): void {
  if (walk.namespace(type) === "none") {
    const fault = `needs a ${type} namespace in linux.namespaces`;
    walk.report("combination", linux[key], fault, key);
  }
}

function userNamespaceFits(linux: Linux, walk: Walk): void {
  for (const key of ["uidMappings", "gidMappings"] as const) {
    if (linux[key]?.length) needsNamespace("user", linux, key, walk);
  }
}

function timeNamespaceFits(linux: Linux, walk: Walk): void {
  const { timeOffsets = {} } = linux;
  if (!Object.values(timeOffsets).some(Boolean)) return;
  needsNamespace("time", linux, "timeOffsets", walk);
  if (walk.namespace("time") === "joined") {
    const fault = "cannot change a time namespace that is joined by path";
    walk.report("combination", timeOffsets, fault, "timeOffsets");
  }
}

function mountNamespaceFits(linux: Linux, walk: Walk): void {
  for (const key of ["maskedPaths", "readonlyPaths"] as const) {
    if (linux[key]?.length) needsNamespace("mount", linux, key, walk);
  }
}

function devicesMovable(linux: Linux, walk: Walk): void {
  const { netDevices = {} } = linux;
  const seen = new Set<string>();
  if (!Object.values(netDevices).some(Boolean)) return;
  needsNamespace("network", linux, "netDevices", walk);
  for (const [host, device] of Object.entries(netDevices)) {
    const inside = device?.name || host;
    if (seen.has(inside)) {
      walk.report("duplicate", inside, "is the name of another device, too", "netDevices", host);
    }
    if (!inside.includes("%")) seen.add(inside);
  }
}

/** Two entries of one path must ask for the same node. */
function devicesDiffer({ devices = [] }: Linux, walk: Walk): void {
  const seen = new Map<string, string>();
  for (const [index, { path, type, major, minor }] of devices.entries()) {
    const node = type === "p" ? type : `${type === "u" ? "c" : type} ${major}:${minor}`;
    const other = seen.get(path);
    if (other !== undefined && other !== node) {
      walk.report("duplicate", path, `is device ${other} already`, "devices", index, "path");
    }
    seen.set(path, node);
  }
}

/** Which clocks have an offset: time_namespaces(7). */
function clock(key: string, value: unknown, walk: Walk): void {
  if (key !== "monotonic" && key !== "boottime") {
    walk.report("name", value, "is no offset of monotonic or boottime");
  }
}

/** The name on the host may be anything that the kernel takes (dev_valid_name). */
function networkDevice(key: string, value: unknown, walk: Walk): void {
  if (!INTERFACE.test(key) || key === "" || key.includes("%")) {
    walk.report("name", value, "has a key that is no name of a network device");
  }
}

function sysctl(key: string, value: unknown, walk: Walk): void {
  const namespace = sysctlNamespace(key);
  if (!isText(key, walk)) return;
  if (!isSysctlName(key)) walk.report("name", value, "has a key that names no kernel parameter");
  else if (namespace === undefined) {
    walk.report("combination", value, "would change the host: the parameter has no namespace");
  } else if (namespace === "uts" && key.endsWith("hostname")) {
    walk.report(
      "combination",
      value,
      "belongs into the property hostname, which sets this parameter",
    );
  } else if (walk.namespace(namespace) === "none") {
    const fault = `would change the host: there is no ${namespace} namespace in linux.namespaces`;
    walk.report("combination", value, fault);
  }
}

/** "Cgroups Path"; also systemd's `slice:prefix:name`. */
function cgroupPath(value: unknown, walk: Walk): void {
  if (isText(value, walk) && value.split("/").includes("..")) {
    walk.report("format", value, "contains ..");
  }
}

function noFlag(value: unknown, walk: Walk): void {
  if (isText(value, walk)) walk.report("name", value, "is unknown: no flag is defined");
}
