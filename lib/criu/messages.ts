/**
 * The messages of criu's RPC (https://criu.org/RPC), as far as they are used; the numbers are those of its
 * images/rpc.proto. All of proto2: what is given is written, 0 and false too.
 */

import type { Message } from "../wire/protobuf.ts";

/** What is asked for, and what an answer answers. */
export const RequestType = {
  dump: 1,
  restore: 2,
  notify: 6,
  features: 9,
  version: 10,
  /** criu ends when it is done, where the other kind of it waits for the next. */
  singlePreDump: 13,
} as const;

/** What becomes of the cgroups that processes were in (criu(8), `--manage-cgroups`). */
export const CgroupMode = {
  ignore: 0,
  none: 1,
  props: 2,
  soft: 3,
  full: 4,
  strict: 5,
} as const;

/** How criu keeps packets away from connections meanwhile. */
export const NetworkLock = { iptables: 1, nftables: 2, skip: 3 } as const;

const PAGE_SERVER = {
  address: [1, "string"],
  port: [2, "int32", "explicit"],
} as const satisfies Message;

const EXTERNAL_MOUNT = {
  key: [1, "string", "explicit"],
  value: [2, "string", "explicit"],
} as const satisfies Message;

const JOIN_NAMESPACE = {
  type: [1, "string", "explicit"],
  path: [2, "string", "explicit"],
} as const satisfies Message;

const INHERIT = {
  key: [1, "string", "explicit"],
  fd: [2, "int32", "explicit"],
} as const satisfies Message;

const CGROUP_ROOT = {
  controller: [1, "string", "explicit"],
  path: [2, "string", "explicit"],
} as const satisfies Message;

/** criu_opts. Descriptors are the requesting process', but for those to be inherited: criu's own. */
export const OPTIONS = {
  imagesDirectory: [1, "int32", "explicit"],
  pid: [2, "int32", "explicit"],
  leaveRunning: [3, "bool"],
  externalUnixSockets: [4, "bool"],
  tcpEstablished: [5, "bool"],
  evasiveDevices: [6, "bool"],
  shellJob: [7, "bool"],
  fileLocks: [8, "bool"],
  logLevel: [9, "int32", "explicit"],
  logFile: [10, "string"],
  pageServer: [11, PAGE_SERVER],
  notify: [12, "bool"],
  root: [13, "string"],
  parentImages: [14, "string"],
  trackMemory: [15, "bool"],
  autoDedup: [16, "bool"],
  workDirectory: [17, "int32", "explicit"],
  linkRemap: [18, "bool"],
  externalMounts: [23, EXTERNAL_MOUNT, "repeated"],
  manageCgroups: [24, "bool"],
  cgroupRoots: [25, CGROUP_ROOT, "repeated"],
  restoreSibling: [26, "bool"],
  inherit: [27, INHERIT, "repeated"],
  manageCgroupsMode: [34, "int32", "explicit"],
  external: [37, "string", "repeated"],
  emptyNamespaces: [38, "uint32"],
  joinNamespaces: [39, JOIN_NAMESPACE, "repeated"],
  // Hierarchies as /proc/PID/cgroup names them; what is in others is left out.
  cgroupControllers: [43, "string", "repeated"],
  freezeCgroup: [44, "string"],
  tcpSkipInFlight: [46, "bool"],
  lazyPages: [48, "bool"],
  orphanTerminals: [50, "bool"],
  configFile: [51, "string"],
  tcpClose: [52, "bool"],
  lsmProfile: [53, "string"],
  lsmMountContext: [63, "string"],
  networkLock: [64, "int32", "explicit"],
  // criu's --mntns-compat-mode, since 3.17.
  mountsByPath: [65, "bool"],
} as const satisfies Message;

const FEATURES = {
  trackMemory: [1, "bool", "explicit"],
  lazyPages: [2, "bool", "explicit"],
} as const satisfies Message;

/** criu_req */
export const REQUEST = {
  type: [1, "int32", "explicit"],
  options: [2, OPTIONS],
  notifySuccess: [3, "bool", "explicit"],
  /** Another request follows. */
  keepOpen: [4, "bool"],
  features: [5, FEATURES],
} as const satisfies Message;

const RESTORED = { pid: [1, "int32"] } as const satisfies Message;

const NOTIFICATION = { script: [1, "string"], pid: [2, "int32"] } as const satisfies Message;

const VERSION = {
  major: [1, "int32"],
  minor: [2, "int32"],
  sub: [4, "int32"],
} as const satisfies Message;

/** criu_resp */
export const RESPONSE = {
  type: [1, "int32"],
  success: [2, "bool"],
  restored: [4, RESTORED],
  notification: [5, NOTIFICATION],
  errno: [7, "int32"],
  features: [8, FEATURES],
  /** The first error of its log. */
  message: [9, "string"],
  version: [10, VERSION],
} as const satisfies Message;
