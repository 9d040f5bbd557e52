/** The brain of shims: where it is, how long it stays, and what does its work. */

import { assertEquals } from "@std/assert";
import { encodeMessage } from "../../../lib/wire/protobuf.ts";
import { RUNC_OPTIONS } from "../../../lib/shim/messages.ts";
import { Bundle, idle } from "../../support/bundle.ts";
import { RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { kill, ShimClient, ShimNode } from "../../support/shim.ts";

const idOf = (name: string) => `brain${Deno.pid}-${name}`;

async function up(
  { options }: ShimNode,
  client: ShimClient,
  id: string,
  bundle: string,
): Promise<number> {
  const { pid } = await client.call("Create", { id, bundle, options });
  await client.call("Start", { id });
  return pid;
}

async function down(client: ShimClient, id: string): Promise<void> {
  await client.call("Kill", { id, signal: 9 });
  assertEquals((await client.call("Wait", { id })).exit_status, 137);
  await client.call("Delete", { id });
  await client.call("Shutdown", { id });
}

/** Warm brains of the node; none is left. */
class Serving implements Disposable {
  readonly #node: ShimNode;
  readonly #begun: Deno.ChildProcess[] = [];

  constructor(node: ShimNode) {
    this.#node = node;
  }

  begin(): Deno.ChildProcess {
    const env = { RUNTS_BRAIN: this.#node.brain };
    const streams = { stdin: "null", stdout: "null" } as const;
    const child = new Deno.Command(RUNTIME, { args: ["serve"], env, ...streams }).spawn();
    this.#begun.push(child);
    return child;
  }

  [Symbol.dispose](): void {
    for (const child of this.#begun) {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
    }
  }
}

/** Whether a process is Deno: the front alone has no ld.so. */
function isDeno(pid: number): boolean {
  return /\/ld-linux/.test(Deno.readTextFileSync(`/proc/${pid}/maps`));
}

const cgroupOf = (pid: number | "self") => Deno.readTextFileSync(`/proc/${pid}/cgroup`);
const scoreOf = (pid: number | "self") =>
  Number(Deno.readTextFileSync(`/proc/${pid}/oom_score_adj`));

Deno.test(
  "it ends when no monitor has been there for a while, and another one begins",
  RUNTS_ONLY,
  async () => {
    await using node = new ShimNode({ RUNTS_SHIM_IDLE: "0.1" });
    using bundle = new Bundle(idle);
    const seen = new Set<number>();
    for (const name of ["first", "second"]) {
      const id = idOf(name);
      using client = await ShimClient.connect(await node.shim(id, bundle.path));
      await up(node, client, id, bundle.path);
      for (const pid of node.brains()) seen.add(pid);
      await down(client, id);
      await until("the brain has ended", () => node.brains().length === 0);
      assertEquals([...Deno.readDirSync(node.brain)].map((entry) => entry.name).sort(), [
        "shim.lock",
        "shims",
      ]);
    }
    assertEquals(seen.size, 2);
  },
);

Deno.test(
  "the cgroup that the options name is the monitor's, not the brain's",
  RUNTS_ONLY,
  async () => {
    await using node = new ShimNode();
    using bundle = new Bundle(idle);
    const id = idOf("cgroup");
    const cgroup = `/${id}-shim`;
    const value = encodeMessage(RUNC_OPTIONS, { shim_cgroup: cgroup });
    const options = { type_url: "containerd.runc.v1.Options", value };
    using client = await ShimClient.connect(await node.shim(id, bundle.path, options));
    await up(node, client, id, bundle.path);
    const { shim_pid: monitor } = await client.call("Connect", { id });
    const [brain = 0] = node.brains();
    assertEquals(cgroupOf(monitor).includes(cgroup), true);
    assertEquals(cgroupOf(brain), cgroupOf("self"));
    const wanted = Math.min(scoreOf("self") + 1, 1000);
    assertEquals([scoreOf(monitor), scoreOf(brain)], [wanted, wanted]);
    await down(client, id);
    await until("the monitor has ended", () => node.monitors().length === 0);
    removeCgroups(cgroup);
  },
);

function removeCgroups(path: string): void {
  const top = "/sys/fs/cgroup";
  for (const name of ["", ...[...Deno.readDirSync(top)].map((entry) => `/${entry.name}`)]) {
    try {
      Deno.removeSync(`${top}${name}${path}`);
    } catch {
      // there is none in this hierarchy
    }
  }
}

Deno.test(
  "a warm brain is that of shims, too; when it ends another one goes on",
  RUNTS_ONLY,
  async () => {
    // A front waits for the warm brain as long as it takes.
    await using node = new ShimNode({ RUNTS_TEST_WARM: "1" });
    using bundle = new Bundle(idle);
    const id = idOf("warm");
    using serving = new Serving(node);
    const listens = () => [...Deno.readDirSync(node.brain)].some(({ name }) => name === "socket");
    const warm = serving.begin();
    await until("the warm brain listens", listens);
    using client = await ShimClient.connect(await node.shim(id, bundle.path));
    await up(node, client, id, bundle.path);
    const isWarm = node.brains().some((pid) => !isDeno(pid));
    warm.kill("SIGTERM");
    const { code } = await warm.status;
    const { status } = await client.call("State", { id });
    await down(client, id);
    assertEquals({ isWarm, code, status }, { isWarm: true, code: 0, status: 2 });
    await until("all is told", () => node.events.topics.includes("/tasks/delete"));
    // What was told as a brain ended may be told twice.
    assertEquals([...new Set(node.events.topics)], [
      "/tasks/create",
      "/tasks/start",
      "/tasks/exit",
      "/tasks/delete",
    ]);
  },
);

Deno.test("its warnings are in containerd's log", RUNTS_ONLY, async () => {
  await using node = new ShimNode();
  using bundle = new Bundle(idle);
  const id = idOf("warning");
  const { code } = await new Deno.Command("mkfifo", { args: [`${bundle.path}/log`] }).output();
  assertEquals(code, 0);
  using log = Deno.openSync(`${bundle.path}/log`, { read: true, write: true });
  using client = await ShimClient.connect(await node.shim(id, bundle.path));
  await up(node, client, id, bundle.path);
  const [group = ""] = [...Deno.readDirSync(`${node.brain}/shims`)].map(({ name }) => name)
    .filter((name) => name !== ".lock");
  const damaged = `${node.brain}/shims/${group}/other.task`;
  Deno.writeTextFileSync(damaged, "{");
  for (const pid of node.brains()) kill(pid);
  assertEquals((await client.call("State", { id })).status, 2);
  const bytes = new Uint8Array(4096);
  const line = new TextDecoder().decode(bytes.subarray(0, log.readSync(bytes)!));
  assertEquals(
    line.replace(/^time=\S+ /, "").replace(/: Expected .*"/, ': …"'),
    `level=warning msg="read \\"${damaged}\\": …" id=${id} namespace=ns\n`,
  );
  await down(client, id);
});
