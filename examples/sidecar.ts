/**
 * A sidecar: a second container, with a root filesystem of its own, in the network, IPC and UTS namespaces
 * of the first. It sees the same loopback device, and nothing of the other's files.
 *
 *     deno run -A examples/sidecar.ts [ROOTFS [STATE_ROOT]]
 */

import { Container, lines } from "@runts/runts";
import type { Namespace, NamespaceType } from "@runts/runts/oci";

const [path = "/srv/busybox", root = "/run/runts"] = Deno.args;
const SHARED: NamespaceType[] = ["network", "ipc", "uts"];

await using main = await Container.create({
  id: `main-${Deno.pid}`,
  root,
  spec: { root: { path }, hostname: "pod", process: { args: ["sleep", "1000"] } },
  stdin: "null",
});
await main.start();

/** Those of the first container, and new ones for the rest. */
const namespaces: Namespace[] = [
  ...SHARED.map((type) => ({ type, path: `/proc/${main.pid}/ns/${type.replace("work", "")}` })),
  { type: "pid" },
  { type: "mount" },
];

await using sidecar = await Container.create({
  id: `sidecar-${Deno.pid}`,
  root,
  spec: {
    root: { path },
    // The name is that of the namespace, and a sysfs wants a network of one's own.
    hostname: null,
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    linux: { namespaces },
    process: { args: ["sh", "-c", "hostname; readlink /proc/self/ns/net; echo $$"] },
  },
  stdin: "null",
  stdout: "piped",
});
await sidecar.start();
const [name, network, pid] = await Array.fromAsync(lines(sidecar.stdout));
const same = network === await Deno.readLink(`/proc/${main.pid}/ns/net`);
console.log(`the sidecar of ${name}: same network: ${same}, pid ${pid} of its own`);
