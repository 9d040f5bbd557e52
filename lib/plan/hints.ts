/** Well-known causes of failures, by operation and error number. */

import {
  EACCES,
  EBUSY,
  EINVAL,
  EMFILE,
  ENOENT,
  ENOSPC,
  EPERM,
  ESRCH,
  EXDEV,
} from "../base/errno.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import { EnterMethod, MountKind, type Op, type OpName, type OpOf } from "../wire/ops.ts";

const EOPNOTSUPP = 95;
const EUSERS = 87;
const EDQUOT = 122;
const ERANGE = 34;
/** SCHED_FIFO and SCHED_RR (linux/sched.h). */
const REALTIME = [1, 2];
/** SCHED_DEADLINE, and what its period, or its deadline without one, is held to. */
const DEADLINE = 6;
const PERIODS = "the period must lie between sysctl kernel.sched_deadline_period_min_us and " +
  "kernel.sched_deadline_period_max_us (100 and 4194304 where nobody has changed them)";

const SELINUX_OFF = "SELinux is off on this host: remove linux.mountLabel, or the option";

type Hints = { readonly [K in OpName]?: (op: OpOf<K>, errno: number, plan: Plan) => Hint };
type Hint = string | undefined;

/** What the failed operation was part of. */
interface Plan {
  readonly ops: readonly Op[];
  /** CLONE_NEW* of the namespaces that are made. */
  readonly fresh: number;
  /** What init says of the failure. */
  readonly detail: string;
}

/** The likely remedy, or undefined. */
export function hintFor(op: Op, errno: number, detail: string, ops: readonly Op[]): Hint {
  const fresh = ops.reduce(
    (mask, { op, ...rest }) => op === "clone" ? mask | (rest as OpOf<"clone">).flags : mask,
    0,
  );
  const hint = HINTS[op.op] as ((op: Op, errno: number, plan: Plan) => Hint) | undefined;
  return hint?.(op, errno, { ops, fresh, detail });
}

/** An operation as far as a status file keeps it. */
interface Step {
  readonly op: string;
  /** Its place in the plan. */
  readonly place: number;
}

/** What failed under the filter: hooks of the container, or without no_new_privs init's last steps. */
export function filterHint(failed: number, steps: readonly Step[]): Hint {
  const filter = steps.find(({ op }) => op === "seccomp")?.place;
  if (filter === undefined || failed <= filter) return undefined;
  const hooked = steps.some(({ op, place }) => op === "hook" && place > filter && place <= failed);
  return hooked
    ? "linux.seccomp is in force by then: it must allow what it takes to run a hook"
    : "linux.seccomp is in force by then; with process.noNewPrivileges it comes last";
}

const HINTS: Hints = {
  write_file: ({ path }, errno) => {
    if (errno === EXDEV) return "unmount that: the kernel allows no other procfs here";
    if (path.endsWith("/timens_offsets") && errno === ERANGE) {
      return "the clock would be negative, or beyond 146 years";
    }
    if (!path.startsWith("/proc/sys/")) return undefined;
    if (errno === ENOENT) return "the kernel has no such parameter, or not in this namespace";
    if (errno === EACCES || errno === EPERM) return "it belongs to the whole host here";
    return errno === EINVAL ? "the kernel refuses this value" : undefined;
  },
  setns: ({ kind }, errno) => {
    if (errno === ESRCH) return "the container has just stopped";
    if (errno === EPERM) return "joining it takes CAP_SYS_ADMIN in the user namespace that owns it";
    return errno === EINVAL && kind === NAMESPACE_FLAGS.user
      ? "runts is in that user namespace already"
      : undefined;
  },
  unshare: namespaceHint,
  clone: namespaceHint,
  join_cgroup: (_, errno) => {
    if (errno === ENOSPC) return "cpuset.cpus or cpuset.mems of the cgroup is empty";
    if (errno === EBUSY) return "the cgroup has children with controllers: it takes no processes";
    return errno === EOPNOTSUPP ? "the cgroup, or one above it, is threaded" : undefined;
  },
  hostname: (_, errno) => errno === EPERM ? "the UTS namespace belongs to another user" : undefined,
  open_tree: ({ idmap }, errno) => {
    if (errno === EMFILE) {
      return "each takes a descriptor: raise the hard limit of runts (ulimit -Hn)";
    }
    if (idmap < 0) {
      return errno === EPERM
        ? "runts does not own its mount namespace: use unshare --mount"
        : undefined;
    }
    if (errno === EINVAL || errno === EOPNOTSUPP) {
      return "its filesystem does not support id-mapped mounts (Linux 5.12 and later)";
    }
    return errno === EPERM ? "mapping takes CAP_SYS_ADMIN where it was mounted" : undefined;
  },
  mount: mountHint,
  make_node: labelHint,
  mask: labelHint,
  device: (_, errno) => errno === EPERM ? "making device nodes takes CAP_MKNOD" : undefined,
  enter_root: ({ method }, errno) =>
    errno === EINVAL && method === EnterMethod.pivot
      ? "the root filesystem is on a ramdisk: use --no-pivot"
      : undefined,
  keyring: (_, errno) =>
    errno === EDQUOT ? "raise kernel.keys.maxkeys, or use --no-new-keyring" : undefined,
  rlimit: (_, errno) =>
    errno === EPERM ? "raising a hard limit takes CAP_SYS_RESOURCE on the host" : undefined,
  label: ({ attr }, errno) => {
    const module = attr.startsWith("apparmor") ? "AppArmor" : "SELinux";
    if (errno !== ENOENT && errno !== EINVAL) return undefined;
    return `${module} is not enabled, or does not know the label`;
  },
  scheduler: ({ policy }, errno, { ops, fresh }) => {
    if (errno === EINVAL && policy === DEADLINE) return PERIODS;
    if (errno === EBUSY && policy === DEADLINE) {
      return "the CPUs have not that much time left: see sysctl kernel.sched_rt_runtime_us";
    }
    if (errno !== EPERM) return undefined;
    const { user } = NAMESPACE_FLAGS;
    const mapped = fresh & user || ops.some((op) => op.op === "open_ns" && op.kind === user);
    if (policy === DEADLINE && !mapped) {
      return "SCHED_DEADLINE needs every CPU of the host: leave out linux.resources.cpu.cpus, and take no " +
        "cgroup whose cpuset lacks some";
    }
    return "it takes CAP_SYS_NICE on the host" +
      (REALTIME.includes(policy)
        ? ", and linux.resources.cpu.realtimeRuntime where cgroups have cpu.rt_runtime_us"
        : "");
  },
  streams: ({ tolerate }, errno) => {
    if (errno !== EPERM && errno !== EACCES) return undefined;
    return tolerate
      ? "the container has lost its own, and its user namespace maps the owner of the host's"
      : "linux.resources.devices must allow the device, as the specification has it";
  },
  ioprio: (_, errno) => errno === EPERM ? "it takes CAP_SYS_NICE on the host" : undefined,
  mempolicy: (_, errno) =>
    errno === EINVAL ? "the mode and the nodes do not fit, or a node is not allowed" : undefined,
  affinity: (_, errno) => errno === EINVAL ? "the cgroup allows none of these CPUs" : undefined,
  set_ids: ({ uid, gid, groups }, errno) => {
    if (errno === EINVAL) {
      const ids = [`uid ${uid}`, ...new Set([gid, ...groups].map((id) => `gid ${id}`))];
      return `the user namespace must map ${ids.join(", ")}`;
    }
    return errno === EPERM
      ? "setgroups is denied in the user namespace, or a right is missing"
      : undefined;
  },
  seccomp: (_, errno) => {
    if (errno === EACCES) return "without noNewPrivileges it takes CAP_SYS_ADMIN";
    return errno === EINVAL ? "the kernel knows not all of its flags and instructions" : undefined;
  },
};

function labelHint({ label }: { readonly label: string }, errno: number): Hint {
  return label !== "" && errno === EINVAL ? SELINUX_OFF : undefined;
}

function namespaceHint({ flags }: { readonly flags: number }, errno: number): Hint {
  const { user, time, cgroup } = NAMESPACE_FLAGS;
  if (errno === ENOSPC || errno === EUSERS) {
    return "a limit is reached: sysctl user.max_user_namespaces and its like";
  }
  if (errno === EPERM || errno === EACCES) {
    return flags & user
      ? "user namespaces are not permitted: see sysctl kernel.unprivileged_userns_clone, " +
        "kernel.apparmor_restrict_unprivileged_userns and user.max_user_namespaces"
      : "it takes root, or a user namespace in linux.namespaces";
  }
  if (errno !== EINVAL) return undefined;
  if (flags & time) return "the kernel has no time namespaces (Linux 5.6 and later)";
  return flags & cgroup ? "the kernel has no cgroup namespaces (Linux 4.6 and later)" : undefined;
}

/** Filesystems that belong to a namespace: who does not own that may not mount them. */
const OWNED_BY = { proc: "pid", sysfs: "network", mqueue: "ipc", cgroup: "cgroup" } as const;

function mountHint(op: OpOf<"mount">, errno: number, plan: Plan): Hint {
  if (op.kind !== MountKind.filesystem) {
    return undefined;
  }
  // A filesystem may have said more already.
  if (/Unknown parameter '\w*context'/.test(plan.detail)) return SELINUX_OFF;
  const plain = plan.detail === "" || plan.detail.endsWith('"');
  if (errno === EINVAL && op.data.length > 0 && plain) {
    return `the filesystem refuses one of ${op.data.map((item) => `"${item}"`).join(", ")}`;
  }
  if (errno === ENOENT && op.data.length > 0 && plain) {
    return `something is not there that ${op.data.map((item) => `"${item}"`).join(", ")} names`;
  }
  if (errno !== EPERM || !(plan.fresh & NAMESPACE_FLAGS.user)) return undefined;
  const type = op.fstype === "cgroup2" ? "cgroup" : op.fstype;
  if (!Object.hasOwn(OWNED_BY, type)) return undefined;
  const kind = OWNED_BY[type as keyof typeof OWNED_BY];
  if (plan.fresh & NAMESPACE_FLAGS[kind]) {
    return "the runtime's own view of it is covered in part, so the kernel refuses a new one";
  }
  const join = plan.ops.find((other) =>
    other.op === "open_ns" && other.kind === NAMESPACE_FLAGS[kind]
  );
  return `the user namespace does not own the ${kind} namespace; add a new ${kind} namespace` +
    (join === undefined ? "" : ` or remove ${join.from}`);
}
