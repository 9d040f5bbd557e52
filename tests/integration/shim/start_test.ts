/** `start` of a shim, in the forms that containerd has called it in since 1.6, and what answers at its socket then. */

import { assertEquals, assertRejects } from "@std/assert";
import { Bundle, idle } from "../../support/bundle.ts";
import { RUNTS_ONLY, until } from "../../support/runtime.ts";
import { ShimClient, ShimNode } from "../../support/shim.ts";
import { StatusError } from "../../../lib/shim/ttrpc.ts";

const V3 = "containerd.task.v3.Task";
/** Any { type_url: "containerd.runc.v1.Options", value: Options { no_new_keyring: true } }. */
const ANY = "0a1a636f6e7461696e6572642e72756e632e76312e4f7074696f6e7312021001";

/** Ids must differ from those of other tests: cgroups are the host's. */
const idOf = (name: string) => `shim${Deno.pid}-${name}`;

async function life(
  { options }: ShimNode,
  socket: string,
  id: string,
  bundle: string,
  service?: string,
): Promise<void> {
  using client = await ShimClient.connect(socket);
  const made = await client.call("Create", { id, bundle, options }, service);
  assertEquals(made.pid > 0, true);
  const { shim_pid, task_pid } = await client.call("Connect", { id }, service);
  assertEquals([task_pid, shim_pid > 0], [made.pid, true]);
  await client.call("Start", { id }, service);
  await client.call("Kill", { id, signal: 9 }, service);
  assertEquals((await client.call("Wait", { id }, service)).exit_status, 137);
  const { pid, exit_status } = await client.call("Delete", { id }, service);
  assertEquals([pid, exit_status], [made.pid, 137]);
  await client.call("Shutdown", { id }, service);
}

const LIFE = ["/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete"];

Deno.test(
  "bootstrap parameters are answered in their form, and either version serves",
  RUNTS_ONLY,
  async () => {
    await using node = new ShimNode();
    using bundle = new Bundle(idle);
    for (const [name, service] of [["two", undefined], ["three", V3]] as const) {
      const id = idOf(name);
      const params = node.bootstrap(id, {
        type_url: "containerd.runc.v1.Options",
        value: Uint8Array.fromHex("1001"),
      });
      const { code, stdout, stderr } = await node.start(id, bundle.path, params);
      assertEquals([code, stderr], [0, ""]);
      const address = Deno.readTextFileSync(`${bundle.path}/address`);
      const text = new TextEncoder().encode(address);
      // BootstrapResult { version: 3, address, protocol: "ttrpc" }
      const size = text.length.toString(16);
      assertEquals(stdout.toHex(), `080312${size}${text.toHex()}1a057474727063`);
      const socket = address.slice("unix://".length);
      assertEquals(socket.startsWith(`${node.sockets}/`), true, socket);
      const modes = [node.sockets, socket].map((path) => Deno.statSync(path).mode! & 0o777);
      assertEquals(modes, [0o700, 0o600]);
      await life(node, socket, id, bundle.path, service);
      await until("the socket is gone", () => !exists(socket));
    }
    await until("all is told", () => node.events.topics.length >= 2 * LIFE.length);
    assertEquals(node.events.topics, [...LIFE, ...LIFE]);
    assertEquals([...node.events.namespaces], ["ns"]);
  },
);

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Somebody else may use the directory by now. */
function removeEmpty(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // it is not empty
  }
}

const V17 = { GRPC_ADDRESS: "/c.sock", NAMESPACE: "ns", MAX_SHIM_VERSION: "2" };

/** What containerd gives on the standard input, in hexadecimal, and in the environment. */
const FORMS: [version: string, input: string, env: Readonly<Record<string, string>>][] = [
  ["1.6, without options", "", { GOMAXPROCS: "2" }],
  ["1.6", ANY, { GOMAXPROCS: "2" }],
  ["1.7 to 2.2, without options", "", V17],
  ["1.7 to 2.2", ANY, V17],
];

for (const [version, input, env] of FORMS) {
  Deno.test(`containerd ${version}: the answer is the address`, RUNTS_ONLY, async () => {
    const made = ["/run/containerd", "/run/containerd/s"].filter((path) => !exists(path));
    await using node = new ShimNode();
    using bundle = new Bundle(idle);
    const id = idOf("plain");
    const { code, stdout, stderr } = await node.start(
      id,
      bundle.path,
      Uint8Array.fromHex(input),
      env,
    );
    const address = new TextDecoder().decode(stdout);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(/^unix:\/\/\/run\/containerd\/s\/[0-9a-f]{64}$/.test(address), true, address);
    await life(node, address.slice("unix://".length), id, bundle.path);
    await until("the socket is gone", () => !exists(address.slice("unix://".length)));
    for (const path of made.reverse()) removeEmpty(path);
    await until("all is told", () => node.events.topics.length >= LIFE.length);
    assertEquals(node.events.topics, LIFE);
  });
}

Deno.test("what there is none of is not implemented", RUNTS_ONLY, async () => {
  await using node = new ShimNode();
  using bundle = new Bundle(idle);
  const id = idOf("none");
  using client = await ShimClient.connect(await node.shim(id, bundle.path));
  const refused = async (service: string, method: string, message: string) => {
    const error = await assertRejects(
      () => client.callRaw(service, method, new Uint8Array()),
      StatusError,
      message,
    );
    assertEquals(error.code, 12);
  };
  await refused("containerd.task.v3.Task", "Sleep", "method Sleep: not implemented");
  await refused("containerd.runtime.sandbox.v1.Sandbox", "CreateSandbox", "service containerd");
  await client.call("Shutdown", { id });
});

Deno.test(
  "cores that are shared with nobody else: a kernel that cannot do that is told of",
  RUNTS_ONLY,
  async () => {
    await using node = new ShimNode();
    using bundle = new Bundle(idle);
    const id = idOf("core");
    const env = { SCHED_CORE: "1" };
    const { code, stdout, stderr } = await node.start(id, bundle.path, node.bootstrap(id), env);
    if (code === 0) {
      assertEquals([stdout[0], stderr], [8, ""]);
      using client = await ShimClient.connect(
        Deno.readTextFileSync(`${bundle.path}/address`).slice("unix://".length),
      );
      await client.call("Shutdown", { id });
      return;
    }
    assertEquals([stdout.length, code], [0, 1]);
    const what = "runts: shim: share no core of a processor with others: ";
    assertEquals(
      [`${what}EINVAL (invalid argument)\n`, `${what}ENODEV (no such device)\n`].includes(stderr),
      true,
      stderr,
    );
  },
);
