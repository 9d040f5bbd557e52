/** Processes that cannot be what the configuration asks for: whole messages. */

import { type Edit, refused, userNamespace } from "../../support/inside.ts";

/** The hard limit that the caller has. */
const HARD = /^Max open files +\d+ +(\d+)/m.exec(Deno.readTextFileSync("/proc/self/limits"))![1];

const ERRORS: [name: string, edit: Edit, message: string][] = [
  [
    "an unknown limit",
    (config) => config.process.rlimits[0].type = "RLIMIT_MOON",
    'BUNDLE/config.json: process.rlimits[0].type: "RLIMIT_MOON" is unknown',
  ],
  [
    "a limit twice",
    (config) => config.process.rlimits.push(config.process.rlimits[0]),
    'BUNDLE/config.json: process.rlimits[1]: "RLIMIT_NOFILE" appears more than once',
  ],
  [
    "a soft limit above the hard one",
    (config) => config.process.rlimits[0].soft = 2000,
    "BUNDLE/config.json: process.rlimits[0].soft: 2000 is above the hard limit 1024",
  ],
  [
    "a limit beyond what the host allows",
    (config) => config.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 2 ** 40, hard: 2 ** 40 }],
    "process.rlimits[0]: set RLIMIT_NOFILE to soft 1099511627776, hard 1099511627776 " +
    `(hard limit now: ${HARD}): EPERM (operation not permitted): ` +
    "raising a hard limit takes CAP_SYS_RESOURCE on the host",
  ],
  [
    "a relative hook",
    (config) => config.hooks = { poststop: [{ path: "true" }] },
    'BUNDLE/config.json: hooks.poststop[0].path: "true" is not an absolute path',
  ],
  [
    "a user that the namespace does not map",
    (config) => {
      userNamespace(config, 100_000, 1);
      config.process.user = { uid: 1, gid: 2 };
      config.mounts[2].options.pop(); // the group of the terminals
    },
    "process.user: set gid 2: EINVAL (invalid argument): the user namespace must map uid 1, gid 2",
  ],
  [
    "a working directory that is a file",
    (config) => config.process.cwd = "/etc/passwd",
    'process.cwd: make the directory "/etc/passwd": ENOTDIR (not a directory)',
  ],
  [
    "an oom score out of range",
    (config) => config.process.oomScoreAdj = 1001,
    "BUNDLE/config.json: process.oomScoreAdj: 1001 is not between -1000 and 1000",
  ],
  [
    "an oom score below the host's",
    (config) => config.process.oomScoreAdj = -1000,
    'process.oomScoreAdj: write "-1000" to "/proc/self/oom_score_adj": EACCES: ' +
    "operation not permitted without CAP_SYS_RESOURCE on the host",
  ],
  [
    "a kernel parameter of the whole host",
    (config) => config.linux.sysctl = { "kernel.panic": "1" },
    'BUNDLE/config.json: linux.sysctl["kernel.panic"]: "1" would change the host: ' +
    "the parameter has no namespace",
  ],
  [
    "a kernel parameter that does not exist",
    (config) => config.linux.sysctl = { "net.ipv4.nosuch": "1" },
    'linux.sysctl["net.ipv4.nosuch"]: open "/proc/sys/net/ipv4/nosuch": ' +
    "ENOENT (no such file or directory): the kernel has no such parameter, or not in this namespace",
  ],
  [
    "a value that a kernel parameter does not take",
    (config) => config.linux.sysctl = { "net.ipv4.ip_forward": "x\ny" },
    'linux.sysctl["net.ipv4.ip_forward"]: write "x\\ny" to "/proc/sys/net/ipv4/ip_forward": ' +
    "EINVAL (invalid argument): the kernel refuses this value",
  ],
  [
    "a network parameter without a network namespace",
    (config) => {
      config.linux.namespaces.splice(1, 1);
      config.linux.sysctl = { "net.ipv4.ip_forward": "1" };
    },
    'BUNDLE/config.json: linux.sysctl["net.ipv4.ip_forward"]: "1" would change the host: ' +
    "there is no network namespace in linux.namespaces",
  ],
  [
    "a network parameter of the host's network namespace, joined by path",
    (config) => {
      config.linux.namespaces[1].path = "/proc/self/ns/net";
      config.linux.sysctl = { "net.ipv4.ip_forward": "1" };
    },
    'linux.sysctl["net.ipv4.ip_forward"]: it would change the host, whose network namespace ' +
    '"/proc/self/ns/net" is: remove it, or linux.namespaces[1].path',
  ],
  [
    "an unknown policy",
    (config) => config.process.scheduler = { policy: "SCHED_MOON" },
    'BUNDLE/config.json: process.scheduler.policy: "SCHED_MOON" is not one of ' +
    "SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_ISO, SCHED_IDLE, SCHED_DEADLINE",
  ],
  [
    "a priority of a policy that has none",
    (config) => config.process.scheduler = { policy: "SCHED_BATCH", priority: 4 },
    "BUNDLE/config.json: process.scheduler.priority: 4 is for SCHED_FIFO and SCHED_RR only",
  ],
  [
    "a period that is too short",
    (config) =>
      config.process.scheduler = { policy: "SCHED_DEADLINE", runtime: 1024, deadline: 50_000 },
    "process.scheduler: set scheduling policy 6: EINVAL (invalid argument): the period must lie " +
    "between sysctl kernel.sched_deadline_period_min_us and kernel.sched_deadline_period_max_us " +
    "(100 and 4194304 where nobody has changed them)",
  ],
  [
    "a deadline on some of the CPUs",
    (config) => {
      const [runtime, deadline] = [1_000_000, 10_000_000];
      config.process.scheduler = { policy: "SCHED_DEADLINE", runtime, deadline };
      config.linux.resources = { cpu: { cpus: "0" } };
    },
    "process.scheduler: set scheduling policy 6: EPERM (operation not permitted): SCHED_DEADLINE " +
    "needs every CPU of the host: leave out linux.resources.cpu.cpus, and take no cgroup whose " +
    "cpuset lacks some",
  ],
  [
    "an unknown class",
    (config) => config.process.ioPriority = { class: "MOON" },
    'BUNDLE/config.json: process.ioPriority.class: "MOON" is not one of ' +
    "IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE",
  ],
  [
    "a memory node that the host does not have",
    (config) => config.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "63" },
    "linux.memoryPolicy: set memory policy 0x2: EINVAL (invalid argument): " +
    "the mode and the nodes do not fit, or a node is not allowed",
  ],
  [
    "an unknown personality",
    (config) => config.linux.personality = { domain: "BSD" },
    'BUNDLE/config.json: linux.personality.domain: "BSD" is not one of LINUX, LINUX32',
  ],
  [
    "an AppArmor profile where AppArmor is not enabled",
    (config) => config.process.apparmorProfile = "some-profile",
    'process.apparmorProfile: write "exec some-profile" to "/proc/self/attr/exec": ' +
    "EINVAL (invalid argument): AppArmor is not enabled, or does not know the label",
  ],
];
for (const [name, edit, message] of ERRORS) refused(name, edit, message);
