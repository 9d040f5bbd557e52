/** The process: ids, limits, rights and scheduling, as the kernel shows them inside. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { exists } from "../../support/look.ts";
import { withRuntime } from "../../support/host.ts";
import { type Edit, inside, linesOf, shell } from "../../support/inside.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";

/** Prints lines of /proc/self/status with single spaces. */
function status(config: Config, ...keys: string[]): void {
  shell(config, `grep -E '^(${keys.join("|")}):' /proc/self/status | busybox tr -s '\t ' '  '`);
}

inside("ids and supplementary groups", (config) => {
  config.process.user = { uid: 1000, gid: 1001, additionalGids: [5, 70, 1001] };
  status(config, "Uid", "Gid", "Groups");
}, ["Uid: 1000 1000 1000 1000", "Gid: 1001 1001 1001 1001", "Groups: 5 70 1001 "]);

inside("root where no user is given", (config) => {
  delete config.process.user;
  status(config, "Uid", "Gid", "Groups");
}, ["Uid: 0 0 0 0", "Gid: 0 0 0 0", "Groups: "]);

inside("no groups but the given ones", (config) => {
  config.process.user = { uid: 0, gid: 0 };
  status(config, "Groups");
}, ["Groups: "]);

inside("umask", (config) => {
  config.process.user.umask = 0o027;
  shell(config, "umask; touch /dev/shm/file; stat -c %a /dev/shm/file");
}, ["0027", "640"]);

inside("no_new_privs where it is asked for", (config) => {
  config.process.noNewPrivileges = true;
  status(config, "NoNewPrivs");
}, ["NoNewPrivs: 1"]);

inside("no no_new_privs where it is not", (config) => {
  config.process.noNewPrivileges = false;
  status(config, "NoNewPrivs");
}, ["NoNewPrivs: 0"]);

const [KILL, NET, AUDIT] = [1n << 5n, 1n << 10n, 1n << 29n] as const;
const hex = (mask: bigint) => mask.toString(16).padStart(16, "0");

for (const uid of [0, 1000]) {
  inside(`every set of capabilities, as user ${uid}`, (config) => {
    config.process.user = { uid, gid: 0 };
    config.process.args = ["cat", "/proc/self/status"];
    const [kill, net, audit] = ["CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE"];
    config.process.capabilities = {
      bounding: [kill, net, audit],
      permitted: [kill, net],
      effective: [kill],
      inheritable: [net],
      ambient: [net],
    };
    config.process.args = ["sh", "-c", "grep ^Cap /proc/self/status | busybox tr '\t' ' '"];
  }, [
    `CapInh: ${hex(NET)}`,
    // An exec by root gives all that no_new_privs lets it keep, one by others what is ambient.
    `CapPrm: ${hex(uid === 0 ? KILL | NET : NET)}`,
    `CapEff: ${hex(uid === 0 ? KILL | NET : NET)}`,
    `CapBnd: ${hex(KILL | NET | AUDIT)}`,
    `CapAmb: ${hex(NET)}`,
  ]);
}

inside("no capabilities at all", (config) => {
  config.process.capabilities = {};
  shell(config, "grep -E '^Cap(Eff|Prm|Bnd)' /proc/self/status | busybox tr '\t' ' '");
}, ["CapPrm", "CapEff", "CapBnd"].map((key) => `${key}: ${hex(0n)}`));

Deno.test({
  name: "capabilities that cannot be granted are warnings, in the log if there is one",
  ...RUNTS_ONLY, // the peers say nothing
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.process.capabilities = {
          bounding: ["CAP_KILL", "CAP_CHOWN"],
          permitted: ["CAP_KILL", "CAP_NET_RAW"],
          effective: ["CAP_KILL", "CAP_CHOWN"],
          inheritable: ["CAP_SYS_TIME"],
          ambient: ["CAP_KILL"],
        };
      });
      const warnings = [
        "process.capabilities.permitted: cannot grant CAP_NET_RAW: not in the bounding set",
        "process.capabilities.effective: cannot grant CAP_CHOWN: not in the permitted set",
        "process.capabilities.ambient: cannot grant CAP_KILL: not both permitted and inheritable",
        "process.capabilities: cannot grant CAP_SYS_TIME",
      ];
      const run = ["run", "--bundle", bundle.path];
      assertEquals(await runtime.run([...run, runtime.id()]), {
        code: 0,
        stdout: "",
        stderr: warnings.map((warning) => `runts: warning: ${warning}\n`).join(""),
      });
      const log = `${bundle.path}/log`;
      const logged = ["--log", log, "--log-format", "json", "--log-level", "warning"];
      const output = await runtime.run([...logged, ...run, runtime.id()]);
      assertEquals(output, { code: 0, stdout: "", stderr: "" });
      const entries = Deno.readTextFileSync(log).trim().split("\n").map((line) => JSON.parse(line));
      assertEquals(
        entries.map(({ level, msg }) => [level, msg]),
        warnings.map((warning) => ["warning", warning]),
      );
    }),
});

Deno.test({
  name: "an unknown capability is a warning",
  ...RUNTS_ONLY, // crun refuses it
  fn: () =>
    withRuntime(async (runtime) => {
      const { code, stdout, stderr } = await runtime.container((config) => {
        config.process.capabilities = { bounding: ["CAP_KILL", "CAP_MOON"] };
        shell(config, "grep ^CapBnd /proc/self/status | busybox tr '\t' ' '");
      });
      assertEquals({ code, stdout, stderr }, {
        code: 0,
        stdout: `CapBnd: ${hex(KILL)}\n`,
        stderr: "runts: warning: process.capabilities.bounding: unknown capability " +
          '"CAP_MOON" is ignored\n',
      });
    }),
});

/** The types of setrlimit(2) with the rows of /proc/PID/limits, and values that differ from all. */
const LIMITS: [type: string, row: string, soft: number, hard: number][] = [
  ["RLIMIT_CPU", "Max cpu time", 100, 200],
  ["RLIMIT_FSIZE", "Max file size", 1_000_000, 2_000_000],
  ["RLIMIT_DATA", "Max data size", 100_000_000, 200_000_000],
  ["RLIMIT_STACK", "Max stack size", 4_000_000, 8_000_000],
  ["RLIMIT_CORE", "Max core file size", 0, 1],
  ["RLIMIT_RSS", "Max resident set", 11, 12],
  ["RLIMIT_NPROC", "Max processes", 300, 400],
  ["RLIMIT_NOFILE", "Max open files", 33, 44],
  ["RLIMIT_MEMLOCK", "Max locked memory", 4096, 8192],
  ["RLIMIT_AS", "Max address space", 500_000_000, 600_000_000],
  ["RLIMIT_LOCKS", "Max file locks", 7, 8],
  ["RLIMIT_SIGPENDING", "Max pending signals", 55, 66],
  ["RLIMIT_MSGQUEUE", "Max msgqueue size", 1024, 2048],
  ["RLIMIT_NICE", "Max nice priority", 0, 0],
  ["RLIMIT_RTPRIO", "Max realtime priority", 0, 0],
  ["RLIMIT_RTTIME", "Max realtime timeout", 9000, 9001],
];

Deno.test("every limit is what is asked for", async () => {
  await withRuntime(async (runtime) => {
    const seen = await linesOf(runtime, (config) => {
      config.process.rlimits = LIMITS.map(([type, , soft, hard]) => ({ type, soft, hard }));
      config.process.args = ["cat", "/proc/self/limits"];
    });
    const rows = seen.slice(1).map((line) => line.replace(/ {2,}/g, "|").split("|").slice(0, 3));
    assertEquals(
      rows.sort(),
      LIMITS.map(([, row, soft, hard]) => [row, String(soft), String(hard)]).sort(),
    );
  });
});

inside("limits that are not given stay as the caller has them", (config) => {
  delete config.process.rlimits;
  shell(config, "grep 'pending signals' /proc/self/limits | busybox tr -s ' '");
}, [
  Deno.readTextFileSync("/proc/self/limits").split("\n")
    .find((line) => line.startsWith("Max pending"))!.replace(/ +/g, " "),
]);

inside("oom_score_adj", (config) => {
  config.process.oomScoreAdj = 321;
  config.process.args = ["cat", "/proc/self/oom_score_adj"];
}, ["321"]);

const CWD: [name: string, edit: Edit, expected: string][] = [
  ["that exists", (config) => config.process.cwd = "/etc", "/etc"],
  ["that is made", (config) => config.process.cwd = "/a/b", "/a/b"],
  ["that its own user alone may enter", (config, bundle) => {
    Deno.mkdirSync(`${bundle.rootfs}/home`);
    Deno.chmodSync(`${bundle.rootfs}/home`, 0o700);
    Deno.chownSync(`${bundle.rootfs}/home`, 1000, 1000);
    config.process.cwd = "/home";
    config.process.user = { uid: 1000, gid: 1000 };
    config.process.capabilities = {};
  }, "/home"],
];
for (const [name, edit, expected] of CWD) {
  inside(`a working directory ${name}`, (config, bundle) => {
    edit(config, bundle);
    shell(config, "pwd");
  }, [expected]);
}

inside(
  "the environment is that of the configuration",
  (config) => {
    config.process.env = ["PATH=/bin", "A=1", "B=two words", "EMPTY="];
    config.process.args = ["env"];
  },
  ["PATH=/bin", "A=1", "B=two words", "EMPTY=", "HOME=/root"],
  { ignore: PEER === "crun" },
); // order

inside("HOME comes from /etc/passwd, or is /", (config, bundle) => {
  bundle.put("etc/passwd", "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/srv/user:/bin/sh\n");
  config.process.user = { uid: 1000, gid: 1000 };
  shell(config, "echo $HOME");
}, ["/srv/user"]);

inside("HOME that is given stays", (config) => {
  config.process.env = ["PATH=/bin", "HOME=/given"];
  shell(config, "echo $HOME");
}, ["/given"]);

inside(
  "the host name and the domain name",
  (config) => {
    config.hostname = "some-host";
    config.domainname = "some.domain";
    shell(config, "hostname; cat /proc/sys/kernel/domainname");
  },
  ["some-host", "some.domain"],
  { ignore: PEER === "runc" },
); // 1.1.5 does not know domainname

inside("kernel parameters of the namespaces", (config) => {
  config.linux.sysctl = {
    "net.ipv4.ip_forward": "1",
    "net/ipv4/conf/lo/rp_filter": "2",
    "kernel.shmmax": "12345",
    "kernel.msgmax": "4321",
    "fs.mqueue.msg_max": "9",
  };
  shell(
    config,
    "cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/conf/lo/rp_filter kernel/shmmax " +
      "kernel/msgmax fs/mqueue/msg_max",
  );
}, ["1", "2", "12345", "4321", "9"]);

inside(
  "a 32-bit personality",
  (config) => {
    config.linux.personality = { domain: "LINUX32" };
    shell(config, "uname -m");
  },
  [Deno.build.arch === "x86_64" ? "i686" : "armv8l"],
  { ignore: PEER === "runc" },
); // since 1.2

/** Field 41 of /proc/PID/stat is the policy, field 19 the nice value, field 40 the priority. */
const STAT = "busybox cut -d' ' -f19,40,41 /proc/self/stat";
/** Whether a cgroup of version 1 has no time for real-time processes unless it is given some. */
const REALTIME_GROUPS = exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us");
/** Policies without a nice value of their own leave that of the caller. */
const NICE = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]!.split(" ")[16];
const SCHEDULERS: [scheduler: Config, expected: string][] = [
  [{ policy: "SCHED_OTHER", nice: 5 }, "5 0 0"],
  [{ policy: "SCHED_BATCH", nice: 3 }, "3 0 3"],
  [{ policy: "SCHED_IDLE" }, `${NICE} 0 5`],
  [{ policy: "SCHED_FIFO", priority: 7 }, `${NICE} 7 1`],
  [{ policy: "SCHED_RR", priority: 8 }, `${NICE} 8 2`],
];
for (const [scheduler, expected] of SCHEDULERS) {
  inside(
    `the scheduler ${scheduler.policy}`,
    (config) => {
      config.process.scheduler = scheduler;
      if (REALTIME_GROUPS && scheduler.priority) {
        config.linux.resources = { cpu: { realtimePeriod: 1_000_000, realtimeRuntime: 1000 } };
      }
      shell(config, STAT);
    },
    [expected],
    RUNTS_ONLY,
  ); // runc since 1.2, crun since 1.9
}

const PRIORITIES: [ioPriority: Config, expected: string][] = [
  [{ class: "IOPRIO_CLASS_BE", priority: 3 }, "best-effort: prio 3"],
  [{ class: "IOPRIO_CLASS_IDLE" }, "idle"],
  [{ class: "IOPRIO_CLASS_RT", priority: 1 }, "realtime: prio 1"],
];
for (const [ioPriority, expected] of PRIORITIES) {
  inside(
    `the class ${ioPriority.class}`,
    (config) => {
      config.process.ioPriority = ioPriority;
      shell(config, "busybox ionice -p $$");
    },
    [expected],
    RUNTS_ONLY,
  ); // as above
}

inside(
  "a memory policy",
  (config) => {
    config.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0" };
    shell(config, "busybox cut -d' ' -f2 /proc/self/numa_maps | busybox sort -u");
  },
  ["bind:0"],
  RUNTS_ONLY,
); // since 1.3 of the specification

Deno.test({
  name: "a session keyring of its own, unless --no-new-keyring is given",
  ignore: PEER === "crun", // names it otherwise
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.linux.maskedPaths = [];
        config.process.args = ["cat", "/proc/keys"];
      });
      const [own, callers] = [runtime.id(), runtime.id()];
      const run = (...args: string[]) => runtime.ok(["run", "--bundle", bundle.path, ...args]);
      assertStringIncludes(await run(own), ` _ses.${own}: `);
      assertEquals((await run("--no-new-keyring", callers)).includes(`_ses.${callers}`), false);
    }),
});
