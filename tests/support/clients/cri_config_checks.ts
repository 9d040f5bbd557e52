/** What a pod's specification asks for, as the kubelet hands it on. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BIDIRECTIONAL, HOST_TO_CONTAINER, NODE, RUNTIME_DEFAULT } from "./cri_api.ts";
import { podCheck } from "./cri_check.ts";
import type { ContainerConfig, Pod } from "./cri_pod.ts";
import type { ApiCheck } from "./suite.ts";

type Security = NonNullable<NonNullable<ContainerConfig["linux"]>["securityContext"]>;

/** What a script says in a container with a security context. */
function said(pod: Pod, securityContext: Security, script: string): Promise<string> {
  return pod.output(script, { linux: { securityContext } });
}

/** What is shared with the host, for mounts that travel, has to be a shared mount. */
const SHARED =
  "mkdir -p /run/shared; mount -t tmpfs tmpfs /run/shared; mount --make-shared /run/shared";

const SECURITY_CHECKS: readonly ApiCheck[] = [
  podCheck("user and groups", async (pod) => {
    const ids = { runAsUser: { value: 1000 }, runAsGroup: { value: 1000 } };
    assertMatch(
      await said(pod, { ...ids, supplementalGroups: [2000, 3000] }, "id"),
      /^uid=1000\(app\) gid=1000\(app\) groups=1000\(app\),2000\(extra\),3000\n$/,
    );
  }),
  podCheck("capabilities", async (pod) => {
    const capabilities = { dropCapabilities: ["ALL"], addCapabilities: ["NET_BIND_SERVICE"] };
    assertEquals(
      await said(pod, { capabilities }, "grep -E 'Cap(Eff|Bnd)' /proc/self/status"),
      "CapEff:\t0000000000000400\nCapBnd:\t0000000000000400\n",
    );
  }),
  podCheck("no new privileges", async (pod) => {
    assertEquals(
      await said(pod, { noNewPrivs: true }, "grep NoNewPrivs /proc/self/status"),
      "NoNewPrivs:\t1\n",
    );
  }),
  podCheck("the default seccomp profile", async (pod) => {
    assertEquals(
      await said(
        pod,
        { seccomp: { profileType: RUNTIME_DEFAULT } },
        "grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp 2>/dev/null || echo refused",
      ),
      "Seccomp:\t2\nrefused\n",
    );
  }),
  podCheck("read-only root", async (pod) => {
    assertEquals(
      await said(pod, { readonlyRootfs: true }, "touch /x 2>/dev/null || echo read-only"),
      "read-only\n",
    );
  }),
  podCheck("masked and read-only paths", async (pod) => {
    assertMatch(
      await said(
        pod,
        { maskedPaths: ["/proc/timer_list"], readonlyPaths: ["/proc/sys"] },
        "exec 2>&1; wc -c < /proc/timer_list; echo 1 > /proc/sys/kernel/msgmax",
      ),
      /^0\n.*Read-only file system/,
    );
  }),
];

const PROCESS_CHECKS: readonly ApiCheck[] = [
  podCheck("command, arguments, environment, directory", async (pod) => {
    const container = await pod.start("process", {
      command: ["sh", "-c"],
      args: ["echo $A $(pwd) $0", "zero"],
      envs: [{ key: "A", value: "b" }],
      workingDir: "/tmp",
    });
    await container.ended();
    assertEquals(container.written(), "b /tmp zero\n");
  }),
  podCheck("volumes", async (pod) => {
    await pod.cri.sandbox.ok("mkdir -p /run/vol; echo host > /run/vol/f");
    const mounts = [
      { containerPath: "/rw", hostPath: "/run/vol" },
      { containerPath: "/ro", hostPath: "/run/vol", readonly: true },
    ];
    const script = "exec 2>&1; cat /rw/f; echo new > /rw/f; echo x > /ro/f || cat /ro/f";
    assertMatch(
      await pod.output(script, { mounts }),
      /^host\n.*Read-only file system\nnew\n$/,
    );
  }),
  podCheck("mounts that travel", async (pod) => {
    const { sandbox } = pod.cri;
    await sandbox.ok(SHARED);
    const container = await pod.start("travel", {
      mounts: [
        { containerPath: "/in", hostPath: "/run/shared", propagation: HOST_TO_CONTAINER },
        { containerPath: "/both", hostPath: "/run/shared", propagation: BIDIRECTIONAL },
      ],
      linux: { securityContext: { capabilities: { addCapabilities: ["SYS_ADMIN"] } } },
    });
    await sandbox.ok(
      "mkdir /run/shared/m; mount -t tmpfs tmpfs /run/shared/m; touch /run/shared/m/f",
    );
    assertEquals(await container.say("ls /in/m /both/m"), "/both/m:\nf\n\n/in/m:\nf\n");
    await container.say("mkdir /both/n; mount -t tmpfs tmpfs /both/n; touch /both/n/f");
    assertEquals(await sandbox.ok("ls /run/shared/n"), "f\n");
    await sandbox.ok("umount /run/shared/m /run/shared/n /run/shared");
  }),
  podCheck("a device", async (pod) => {
    const devices = [{ containerPath: "/dev/nothing", hostPath: "/dev/null", permissions: "rw" }];
    assertEquals(
      await pod.output("echo x > /dev/nothing; stat -c %F /dev/nothing", { devices }),
      "character special file\n",
    );
  }),
];

const POD_CHECKS: readonly ApiCheck[] = [
  podCheck("kernel parameters of a pod", async (pod) => {
    assertEquals(
      await pod.output(
        "cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start",
      ),
      "1\n99\n",
    );
  }, {
    linux: {
      sysctls: { "kernel.shm_rmid_forced": "1", "net.ipv4.ip_unprivileged_port_start": "99" },
    },
  }),
  podCheck("name servers of a pod", async (pod) => {
    assertEquals(
      await pod.output("cat /etc/resolv.conf"),
      "search example.org\nnameserver 192.0.2.1\noptions ndots:5\n",
    );
  }, { dnsConfig: { servers: ["192.0.2.1"], searches: ["example.org"], options: ["ndots:5"] } }),
  podCheck("a pod with the node's namespaces", async (pod) => {
    const links = "cd /proc/self/ns; readlink net; readlink ipc; readlink pid";
    const namespaceOptions = { network: NODE, pid: NODE, ipc: NODE };
    assertEquals(
      await said(pod, { namespaceOptions }, links),
      await pod.cri.sandbox.ok(links),
    );
  }, {
    hostname: "",
    linux: { securityContext: { namespaceOptions: { network: NODE, pid: NODE, ipc: NODE } } },
  }),
  podCheck("a privileged container", async (pod) => {
    const script = "grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp && echo mounted";
    assertStringIncludes(await said(pod, { privileged: true }, script), "Seccomp:\t0\nmounted\n");
  }, { linux: { securityContext: { privileged: true } } }),
];

export const CONFIG_CHECKS = [...SECURITY_CHECKS, ...PROCESS_CHECKS, ...POD_CHECKS];
