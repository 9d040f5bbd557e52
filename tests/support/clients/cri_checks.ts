/** What the kubelet has containerd do: the life of pods and containers. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { until } from "../runtime.ts";
import { CallError } from "./cri.ts";
import { check, podCheck } from "./cri_check.ts";
import { CONFIG_CHECKS } from "./cri_config_checks.ts";
import {
  CREATED,
  DEADLINE_EXCEEDED,
  EXITED,
  METHODS,
  NOT_FOUND,
  NOT_READY,
  POD,
  READY,
  RUNNING,
  TARGET,
} from "./cri_api.ts";
import { type Container, HANDLER } from "./cri_pod.ts";
import { GREEDY, POLITE } from "./image.ts";
import type { ApiCheck } from "./suite.ts";

/** The processes of a container's cgroup, as long as it is there. */
function processes({ pod, id }: Container): string[] {
  try {
    return Deno.readTextFileSync(
      `/sys/fs/cgroup/pids${pod.config.linux!.cgroupParent}/${id}/cgroup.procs`,
    ).split("\n").filter(Boolean);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function notFound(call: Promise<unknown>): Promise<void> {
  const { code } = await assertRejects(() => call, CallError);
  assertEquals(code, NOT_FOUND);
}

const NODE_CHECKS: readonly ApiCheck[] = [
  check("version", async (cri) => {
    const { runtimeName, runtimeApiVersion } = await cri.call(METHODS.version, {});
    assertEquals([runtimeName, runtimeApiVersion], ["containerd", "v1"]);
  }),
  check("the node is ready", async (cri) => {
    const { status } = await cri.call(METHODS.status, {});
    assertEquals(status!.conditions, [
      { type: "RuntimeReady", status: true },
      { type: "NetworkReady", status: true },
    ]);
  }),
];

const POD_CHECKS: readonly ApiCheck[] = [
  podCheck("a pod of the RuntimeClass", async ({ cri, id: podSandboxId }) => {
    const { status, info } = await cri.call(METHODS.podSandboxStatus, {
      podSandboxId,
      verbose: true,
    });
    assertEquals([status!.state, status!.runtimeHandler], [READY, HANDLER]);
    const { runtimeOptions, runtimeType } = JSON.parse(info!.info!);
    // By its own shim there is nothing else to say.
    if (runtimeType === "io.containerd.runts.v2") return;
    assertEquals(runtimeOptions.binary_name, "/usr/local/sbin/runts");
  }),
  podCheck("a pod has its address and its host name", async (pod) => {
    const { status } = await pod.cri.call(METHODS.podSandboxStatus, { podSandboxId: pod.id });
    const said = await pod.output("hostname; ip -4 -o address show eth0");
    assertStringIncludes(said, `${pod.config.hostname}\n`);
    assertStringIncludes(said, ` ${status!.network!.ip}/`);
  }),
  podCheck("stop and remove of a pod", async (pod) => {
    const { cri, id: podSandboxId } = pod;
    const inside = await pod.start("inside");
    await pod.stop();
    const { status } = await cri.call(METHODS.podSandboxStatus, { podSandboxId });
    const { state, exitCode } = await inside.status();
    assertEquals([status!.state, state, exitCode], [NOT_READY, EXITED, 137]);
    await pod.stop();
    await pod.remove();
    await notFound(cri.call(METHODS.podSandboxStatus, { podSandboxId }));
    await notFound(inside.status());
  }),
  podCheck("remove of a pod that runs", async (pod) => {
    const inside = await pod.start("inside");
    await pod.remove();
    await notFound(inside.status());
    await until("its processes are gone", () => processes(inside).length === 0);
  }),
  podCheck("containers share the pod's namespaces", async (pod) => {
    const [a, b] = [await pod.start("a"), await pod.start("b")];
    const links = "cd /proc/self/ns; readlink net; readlink ipc; readlink uts";
    assertEquals(await a.say(links), await b.say(links));
    await a.say("echo hello > /dev/shm/f");
    assertEquals(await b.say("cat /dev/shm/f"), "hello\n");
    const own = "cd /proc/1/ns; readlink pid; readlink mnt";
    const [ofA, ofB] = [await a.say(own), await b.say(own)];
    assert(ofA.split("\n").every((link) => link === "" || !ofB.includes(link)));
  }),
  podCheck("containers share the pod's process ids", async (pod) => {
    const linux = { securityContext: { namespaceOptions: { pid: POD } } };
    const a = await pod.start("a", { command: ["sleep", "98765"], linux });
    const b = await pod.start("b", { linux });
    assertStringIncludes(await b.say("ps"), "sleep 98765");
    await a.stop(0);
    assertEquals((await b.say("ps")).includes("sleep 98765"), false);
    assertEquals((await b.status()).state, RUNNING);
  }),
  podCheck("stop ends every process of a container without process ids of its own", async (pod) => {
    const command = ["sh", "-c", "sleep 98764 & sleep 98764; true"];
    const linux = { securityContext: { namespaceOptions: { pid: POD } } };
    const many = await pod.start("many", { command, linux });
    await until("both run", () => processes(many).length === 3);
    await many.stop(0);
    await until("all are gone", () => processes(many).length === 0);
  }),
  podCheck("the process ids of another container", async (pod) => {
    const debugged = await pod.start("debugged", { command: ["sleep", "98763"] });
    const linux = { securityContext: { namespaceOptions: { pid: TARGET, targetId: debugged.id } } };
    const debugger_ = await pod.start("debugger", { linux });
    assertStringIncludes(await debugger_.say("ps"), "sleep 98763");
  }),
];

const CONTAINER_CHECKS: readonly ApiCheck[] = [
  podCheck("the life of a container", async (pod) => {
    const container = await pod.create("life");
    assertEquals((await container.status()).state, CREATED);
    await container.start();
    assertEquals((await container.status()).state, RUNNING);
    await container.stop(0);
    const { state, exitCode } = await container.status();
    assertEquals([state, exitCode], [EXITED, 137]);
    await container.stop(0);
    await container.remove();
    await container.remove();
    await notFound(container.status());
  }),
  podCheck("exit code and reason", async (pod) => {
    for (const [code, reason] of [[0, "Completed"], [7, "Error"]] as const) {
      const ended = await pod.start(`exit${code}`, { command: ["sh", "-c", `exit ${code}`] });
      const status = await ended.ended();
      assertEquals([status.exitCode, status.reason], [code, reason]);
    }
  }),
  podCheck("no such program", async (pod) => {
    const container = await pod.create("none", { command: ["nosuch"] });
    await assertRejects(() => container.start(), CallError, "not found in $PATH");
    const { state, reason, exitCode, message } = await container.status();
    assertEquals([state, reason, exitCode], [EXITED, "StartError", 128]);
    assertMatch(message!, /"?nosuch"?: .*not found in \$PATH|file `nosuch` not found in \$PATH/);
  }),
  podCheck("a container that uses up its memory", async (pod) => {
    const container = await pod.start("oom", {
      command: ["sh", "-c", GREEDY],
      linux: { resources: { memoryLimitInBytes: 16 << 20 } },
    });
    await container.say("touch /tmp/go");
    await container.ended();
    await until(
      "the reason is known",
      async () => (await container.status()).reason === "OOMKilled",
    );
    assertEquals((await container.status()).exitCode, 137);
  }),
  podCheck("stop with a grace period", async (pod) => {
    const polite = await pod.start("polite", { command: ["sh", "-c", POLITE] });
    await polite.wrote("up");
    await polite.stop(30);
    assertEquals((await polite.status()).exitCode, 7);
    // runc's own init would end with 2, if it were asked before it has become the program.
    const deaf = await pod.start("deaf", { command: ["sh", "-c", "echo up; exec sleep 1000"] });
    await deaf.wrote("up");
    await deaf.stop(1);
    assertEquals((await deaf.status()).exitCode, 137);
  }),
  podCheck("remove of a container that runs", async (pod) => {
    const container = await pod.start("running");
    await container.remove();
    await notFound(container.status());
    await until("its processes are gone", () => processes(container).length === 0);
  }),
  podCheck("another attempt", async (pod) => {
    for (const attempt of [0, 1]) {
      const container = await pod.start("again", {
        metadata: { name: "again", attempt },
        command: ["sh", "-c", "exit 1"],
      });
      const { metadata, exitCode } = await container.ended();
      assertEquals([metadata!.attempt, exitCode], [attempt, 1]);
    }
  }),
  podCheck("exec", async (pod) => {
    const container = await pod.start("exec");
    const { stdout, stderr, exitCode } = await container.exec([
      ...["sh", "-c", "echo out; echo err >&2; exit 3"],
    ]);
    assertEquals([stdout, stderr, exitCode], ["out\n", "err\n", 3]);
    const much = await container.exec(["dd", "if=/dev/zero", "bs=1000", "count=300"]);
    assertEquals(much.stdout!.length, 300_000);
    await assertRejects(() => container.exec(["nosuch"]), CallError, "not found in $PATH");
  }),
  podCheck("exec with a timeout", async (pod) => {
    const container = await pod.start("slow");
    const { code, message } = await assertRejects(
      () => container.exec(["sleep", "98762"], 1),
      CallError,
    );
    assertEquals(code, DEADLINE_EXCEEDED);
    assertMatch(message, /timeout 1s exceeded: context deadline exceeded/);
    assertEquals((await container.say("ps")).includes("sleep 98762"), false);
    assertEquals(await container.say("echo goes on"), "goes on\n");
  }),
  podCheck("exec in a container that has ended", async (pod) => {
    const ended = await pod.start("ended", { command: ["true"] });
    await ended.ended();
    await assertRejects(() => ended.exec(["true"]), CallError, "CONTAINER_EXITED");
  }),
];

const RESOURCE_CHECKS: readonly ApiCheck[] = [
  podCheck("limits", async (pod) => {
    const container = await pod.start("limits", {
      linux: {
        resources: {
          ...{ memoryLimitInBytes: 64 << 20, cpuShares: 512, cpuQuota: 50_000 },
          ...{ cpuPeriod: 100_000, cpusetCpus: "0", oomScoreAdj: 500 },
        },
      },
    });
    assertEquals(
      await container.say(`cd /sys/fs/cgroup
        cat memory/memory.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us cpuset/cpuset.cpus
        cat /proc/1/oom_score_adj`),
      "67108864\n512\n50000\n0\n500\n",
    );
  }),
  podCheck("update of the limits", async (pod) => {
    const container = await pod.start("update");
    await container.update({ memoryLimitInBytes: 99 << 20, cpuShares: 777, cpuQuota: 20_000 });
    assertEquals(
      await container.say(`cd /sys/fs/cgroup
        cat memory/memory.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us`),
      "103809024\n777\n20000\n",
    );
    await container.update({ cpuShares: 888 });
    assertEquals(
      await container.say("cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.shares"),
      "103809024\n888\n",
    );
  }),
  podCheck("statistics of a container", async (pod) => {
    const container = await pod.start("stats");
    const { stats } = await pod.cri.call(METHODS.containerStats, { containerId: container.id });
    assertEquals(stats!.attributes, {
      id: container.id,
      metadata: { name: "stats", attempt: 0 },
    });
    assert(stats!.cpu!.usage!.value! > 0, "processor time");
    assert(stats!.memory!.usage!.value! > 0, "memory");
  }),
  podCheck("statistics of a pod", async (pod) => {
    const container = await pod.start("stats");
    const { stats } = await pod.cri.call(METHODS.podSandboxStats, { podSandboxId: pod.id });
    assert(stats!.linux!.memory!.usage!.value! > 0, "memory");
    assertEquals(stats!.linux!.containers!.map(({ attributes }) => attributes!.id), [container.id]);
  }),
];

const DAEMON_CHECKS: readonly ApiCheck[] = [
  podCheck("the log of a container", async (pod) => {
    const container = await pod.start("log", {
      command: ["sh", "-c", "echo out; echo err >&2; dd if=/dev/zero bs=20000 count=1 2>/dev/null"],
    });
    await container.ended();
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)`;
    assertMatch(container.log(), new RegExp(`^${time} stdout F out$`, "m"));
    assertMatch(container.log(), new RegExp(`^${time} stderr F err$`, "m"));
    assertMatch(container.log(), new RegExp(`^${time} stdout P \0{16384}$`, "m"));
    assertEquals((await container.status()).logPath, `${pod.config.logDirectory}/log.log`);
  }),
  podCheck("a log that is rotated", async (pod) => {
    const container = await pod.start("rotate", {
      command: ["sh", "-c", "echo one; while ! [ -e /tmp/go ]; do sleep 0.05; done; echo two"],
    });
    await container.wrote("one");
    const path = pod.cri.sandbox.path(`${pod.config.logDirectory}/rotate.log`);
    Deno.renameSync(path, `${path}.old`);
    await pod.cri.call(METHODS.reopenContainerLog, { containerId: container.id });
    await container.say("touch /tmp/go");
    await container.ended();
    assertEquals(container.written(), "two\n");
  }),
  podCheck("a terminal", async (pod) => {
    assertEquals(await pod.output("tty", { tty: true }), "/dev/pts/0\n");
  }),
  podCheck("containerd restarts while a pod runs", async (pod) => {
    const { sandbox } = pod.cri;
    const go = sandbox.path("/run/go");
    const mounts = [{ containerPath: "/tmp", hostPath: "/run" }];
    const [stays, ends] = [
      await pod.start("stays"),
      await pod.start("ends", {
        command: ["sh", "-c", "while ! [ -e /tmp/go ]; do sleep 0.05; done; exit 5"],
        mounts,
      }),
    ];
    await sandbox.ok(`pid=$(cat /run/containerd.pid); kill $pid
      while kill -0 $pid 2>/dev/null; do sleep 0.05; done`);
    Deno.writeTextFileSync(go, "");
    await until("one has ended", () => processes(ends).length === 0);
    Deno.removeSync(go);
    await sandbox.ok(". /run/start");
    await pod.cri.ready();
    const { status } = await pod.cri.call(METHODS.podSandboxStatus, { podSandboxId: pod.id });
    assertEquals(status!.state, READY);
    const { state, exitCode } = await ends.status();
    assertEquals([state, exitCode], [EXITED, 5]);
    assertEquals((await stays.status()).state, RUNNING);
    assertEquals(await stays.say("echo still here"), "still here\n");
    await stays.stop(0);
    assertEquals((await stays.status()).exitCode, 137);
    assertEquals(await pod.output("echo new"), "new\n");
  }),
];

const END: readonly ApiCheck[] = [
  check("nothing is left", async (cri) => {
    const { items } = await cri.call(METHODS.listPodSandbox, {});
    const { containers } = await cri.call(METHODS.listContainers, {});
    assertEquals([items, containers], [[], []]);
    assertEquals(await cri.sandbox.ok("ls /run/containerd/runc/k8s.io; ls /run/netns"), "");
    assertEquals(
      await cri.sandbox.ok("ls /run/containerd/io.containerd.runtime.v2.task/k8s.io"),
      "",
    );
  }),
];

/** In this order: the last looks for what the others left. */
export const CRI_CHECKS: readonly ApiCheck[] = [
  ...NODE_CHECKS,
  ...POD_CHECKS,
  ...CONTAINER_CHECKS,
  ...CONFIG_CHECKS,
  ...RESOURCE_CHECKS,
  ...DAEMON_CHECKS,
  ...END,
];
