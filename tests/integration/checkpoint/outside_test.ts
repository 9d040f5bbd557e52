/** Checkpoints of containers that share something with the host: streams, terminals, mounts, namespaces. */

import { assert, assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { Bundle } from "../../support/bundle.ts";
import { cgroupHost } from "../../support/cgroups.ts";
import { checkpointTest, type Restorable, WITH_CRIU_RUNTS_ONLY } from "../../support/criu.ts";
import { command, commandLine, until } from "../../support/runtime.ts";
import { Session } from "../../support/session.ts";
import { exists, readIfThere } from "../../support/look.ts";

/** Runs a verb of the container by a shell script, in which "$@" is the verb. */
async function byShell(
  { runtime }: Restorable,
  script: string,
  words: readonly string[],
): Promise<void> {
  const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
  const { code, stderr } = await command(["sh", "-c", script, ...line]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
}

const TALKER = [
  ...["sh", "-c"],
  "touch /tmp/waits; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo said; exec sleep 1000",
];

checkpointTest("output goes to the pipe of whoever restores it", async (container) => {
  const { bundle, id } = container;
  const run = ["run", "--detach", "--bundle", bundle.path, id];
  await byShell(container, `"$0" "$@" 2>&1 </dev/null | cat >"${bundle.path}/first" &`, run);
  await until("it waits", () => exists(`${bundle.rootfs}/tmp/waits`));
  await container.ok("checkpoint");
  const restore = container.line("restore", "--detach");
  await byShell(container, `"$0" "$@" 2>&1 </dev/null | cat >"${bundle.path}/second" &`, restore);
  bundle.put("tmp/go", "");
  await until("it speaks", () => readIfThere(`${bundle.path}/second`) !== "");
  assertEquals(readIfThere(`${bundle.path}/second`), "said\n");
  assertEquals(readIfThere(`${bundle.path}/first`), "");
  await container.delete();
}, (config) => config.process.args = TALKER);

checkpointTest(
  "output goes on in a file that is appended to",
  async (container) => {
    const { bundle, id } = container;
    const run = ["run", "--detach", "--bundle", bundle.path, id];
    Deno.writeTextFileSync(`${bundle.path}/first`, "before\n");
    await byShell(container, `"$0" "$@" >>"${bundle.path}/first" 2>&1`, run);
    await until("it waits", () => exists(`${bundle.rootfs}/tmp/waits`));
    await container.ok("checkpoint");
    const restore = container.line("restore", "--detach");
    await byShell(container, `"$0" "$@" >>"${bundle.path}/second" 2>&1`, restore);
    bundle.put("tmp/go", "");
    await until("it speaks", () => readIfThere(`${bundle.path}/second`) !== "");
    assertEquals(readIfThere(`${bundle.path}/second`), "said\n");
    assertEquals(readIfThere(`${bundle.path}/first`), "before\n");
    await container.delete();
  },
  (config) => config.process.args = TALKER,
  WITH_CRIU_RUNTS_ONLY,
); // runc refuses files

checkpointTest(
  "input goes on from the fifo of whoever restores it",
  async (container) => {
    const { bundle, id } = container;
    const fifo = `${bundle.path}/fifo`;
    assertEquals((await command(["mkfifo", fifo])).code, 0);
    const run = ["run", "--detach", "--bundle", bundle.path, id];
    await byShell(container, `"$0" "$@" <>"${fifo}" >/dev/null 2>&1`, run);
    await until("it waits", () => exists(`${bundle.rootfs}/tmp/waits`));
    await container.ok("checkpoint");
    const restore = container.line("restore", "--detach");
    await byShell(container, `"$0" "$@" <>"${fifo}" >/dev/null 2>&1`, restore);
    Deno.writeTextFileSync(fifo, "typed\n");
    await until("it has read", () => container.said() !== "");
    assertEquals(container.said(), "typed\n");
    await container.delete();
  },
  (config) => {
    config.process.args = [
      ...["sh", "-c"],
      "touch /tmp/waits; read word; echo $word > /tmp/said; exec sleep 1000",
    ];
  },
  WITH_CRIU_RUNTS_ONLY,
); // runc refuses fifos that have names

checkpointTest("a terminal's master goes to the console socket", async (container) => {
  const { runtime, bundle, id } = container;
  const helper = await loadHelper();
  const path = `${bundle.path}/console`;
  const socket = helper.listenUnix(path);
  /** Runs a verb that has to send a master, and gives that. */
  const master = async (words: readonly string[]) => {
    await runtime.ok([...words, "--console-socket", path]);
    const connection = helper.accept(socket, 10_000);
    const { fd } = helper.receiveFd(connection, 10_000);
    helper.close(connection);
    return fd;
  };
  const first = await master(["run", "--detach", "--bundle", bundle.path, id]);
  await until("it waits", () => exists(`${bundle.rootfs}/tmp/waits`));
  await container.ok("checkpoint");
  helper.close(first);
  const words = container.line("restore", "--detach");
  const last = words.pop()!;
  const second = await master([...words, last]);
  bundle.put("tmp/go", "");
  let text = "";
  await until("it speaks", () => {
    const bytes = helper.readAvailable(second, 100);
    if (bytes instanceof Uint8Array) text += new TextDecoder().decode(bytes);
    return text.includes("said");
  });
  assertEquals(text.replaceAll("\r", ""), "said\n");
  helper.close(second);
  helper.close(socket);
  await container.delete();
}, (config) => {
  config.process.terminal = true;
  config.process.args = TALKER;
});

checkpointTest("a terminal is joined to that of restore in the foreground", async (container) => {
  const { runtime, bundle, id } = container;
  const start = (words: readonly string[]) =>
    Session.start(commandLine(runtime.executable, ["--root", runtime.root, ...words]), {
      rows: 33,
      cols: 101,
    });
  {
    await using session = await start(["run", "--bundle", bundle.path, id]);
    await session.shows("word?");
    await container.ok("checkpoint");
    assertEquals(await session.end(), 137);
  }
  await using session = await start(container.line("restore"));
  session.type("again\n");
  await session.shows("<again>");
  assertEquals(await session.end(), 3);
  assertEquals(session.mode(), session.modeBefore);
}, (config) => {
  config.process.terminal = true;
  config.process.args = ["sh", "-c", "echo 'word?'; read word; echo \"<$word>\"; exit 3"];
}, WITH_CRIU_RUNTS_ONLY);

checkpointTest("bind mounts lead where those of the bundle do", async (container) => {
  const { runtime, bundle, id } = container;
  await container.run();
  await container.ok("checkpoint");
  bundle.config.mounts.find(({ destination }: { destination: string }) => destination === "/data")
    .source = `${bundle.path}/other`;
  bundle.save();
  await container.ok("restore", "--detach");
  const cat = (path: string) => runtime.ok(["exec", id, "cat", path]);
  assertEquals(await cat("/data/name"), "other");
  assertEquals(await cat("/file"), "other");
  assertEquals(await cat("/linked/name"), "data");
  await container.assertKept();
  await container.delete();
}, (config, bundle) => {
  for (const name of ["data", "other"]) {
    Deno.mkdirSync(`${bundle.path}/${name}`);
    Deno.writeTextFileSync(`${bundle.path}/${name}/name`, name);
  }
  Deno.mkdirSync(`${bundle.rootfs}/real`);
  Deno.symlinkSync("/real", `${bundle.rootfs}/linked`);
  config.mounts.push(
    { destination: "/data", source: `${bundle.path}/data`, options: ["rbind"] },
    { destination: "/file", source: `${bundle.path}/other/name`, options: ["bind", "ro"] },
    { destination: "/linked", source: `${bundle.path}/data`, options: ["bind"] },
  );
}, WITH_CRIU_RUNTS_ONLY); // runc wants a type

checkpointTest("what a recursive bind mount brings along is there again", async (container) => {
  const { runtime, bundle, id } = container;
  const below = `${bundle.path}/data/below`;
  const mount = (...words: string[]) => command(["mount", ...words]);
  assertEquals((await mount("-t", "tmpfs", "below", below)).code, 0);
  try {
    Deno.writeTextFileSync(`${below}/name`, "below");
    await container.run();
    await container.ok("checkpoint");
    await container.ok("restore", "--detach");
    assertEquals(await runtime.ok(["exec", id, "cat", "/data/below/name"]), "below");
    await container.delete();
  } finally {
    await command(["umount", "-l", below]);
  }
}, (config, bundle) => {
  Deno.mkdirSync(`${bundle.path}/data/below`, { recursive: true });
  config.mounts.push({
    destination: "/data",
    type: "bind",
    source: `${bundle.path}/data`,
    options: ["rbind"],
  });
}, WITH_CRIU_RUNTS_ONLY); // runc has criu refuse it

for (const type of ["network", "pid", "ipc", "uts"] as const) {
  checkpointTest(
    `a ${type} namespace that is shared is shared again`,
    async (container) => {
      const { runtime, bundle, id } = container;
      const name = { network: "net", pid: "pid", ipc: "ipc", uts: "uts" }[type];
      const owner = runtime.id();
      // It reaps what the other one leaves, and takes no pids itself.
      using waiting = new Bundle((config) =>
        config.process.args = ["sh", "-c", "sleep 1000; true"]
      );
      await runtime.ok(["run", "--detach", "--bundle", waiting.path, owner]);
      const link = async (one: string) =>
        Deno.readLinkSync(`/proc/${(await runtime.state(one)).pid}/ns/${name}`);
      const { pid } = await runtime.state(owner);
      const space = bundle.config.linux.namespaces.find((one: { type: string }) =>
        one.type === type
      );
      space.path = `/proc/${pid}/ns/${name}`;
      if (type === "uts") delete bundle.config.hostname;
      bundle.save();
      await container.run();
      assertEquals(await link(id), await link(owner));
      await container.ok("checkpoint");
      const isPid = (entry: Deno.DirEntry) => /^\d+$/.test(entry.name);
      const pids = () => [...Deno.readDirSync(`/proc/${pid}/root/proc`)].filter(isPid);
      await until("its pids are free", () => pids().length === 2);
      await container.ok("restore", "--detach");
      assertEquals(await link(id), await link(owner));
      await container.assertKept();
      await container.delete();
      await runtime.ok(["delete", "--force", owner]);
    },
    undefined,
    WITH_CRIU_RUNTS_ONLY,
  );
}

checkpointTest("a container with its own cgroup namespace is restored", async (container) => {
  const { runtime, id } = container;
  await container.run();
  const seen = await runtime.ok(["exec", id, "cat", "/proc/self/cgroup"]);
  await container.ok("checkpoint");
  await container.ok("restore", "--detach");
  assertEquals(await runtime.ok(["exec", id, "cat", "/proc/self/cgroup"]), seen);
  await container.assertKept();
  await container.delete();
}, (config) => {
  config.linux.namespaces.push({ type: "cgroup" });
  config.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", options: ["ro"] });
});

checkpointTest("a filter of system calls stays in force", async (container) => {
  const { runtime, id } = container;
  const seccomp = async () => {
    const status = Deno.readTextFileSync(`/proc/${(await runtime.state(id)).pid}/status`);
    return /^Seccomp:\s*(\d)$/m.exec(status)?.[1];
  };
  await container.run();
  assertEquals(await seccomp(), "2");
  await container.ok("checkpoint");
  await container.ok("restore", "--detach");
  assertEquals(await seccomp(), "2");
  await container.assertKept();
  await container.delete();
}, (config) => {
  config.linux.seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls: [{ names: ["getrandom"], action: "SCMP_ACT_ERRNO" }],
  };
});

checkpointTest("no mount of a restore is seen outside", async (container) => {
  await container.run();
  await container.ok("checkpoint");
  await container.ok("restore", "--detach");
  const mounts = Deno.readTextFileSync("/proc/self/mountinfo");
  assert(!mounts.includes(container.id) && !mounts.includes("criu-root"));
  await container.delete();
});

checkpointTest(
  "what a hook has put into the network is for the hook to put there again",
  async (container) => {
    const { runtime, bundle, id } = container;
    const devices = async () =>
      (await runtime.ok(["exec", id, "cat", "/proc/net/dev"])).match(/\w+(?=:)/g)?.sort();
    await container.run();
    assertEquals(await devices(), ["lo", "veth0", "veth1"]);
    await container.ok("checkpoint");
    await container.ok("restore", "--detach");
    assertEquals(await devices(), ["lo", "veth0", "veth1"]);
    assertEquals(readIfThere(`${bundle.path}/hooks`), "hook\nhook\n");
    // The loopback device is up as after create.
    assertEquals(await runtime.ok(["exec", id, "cat", "/sys/class/net/lo/carrier"]), "1\n");
    await container.assertKept();
    await container.delete();
  },
  (config, bundle) => {
    const script =
      `pid=$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/'); echo hook >> ${bundle.path}/hooks; ` +
      "exec nsenter -t $pid -n ip link add veth0 type veth peer name veth1";
    config.hooks = { prestart: [{ path: "/bin/sh", args: ["sh", "-c", script] }] };
  },
  WITH_CRIU_RUNTS_ONLY,
); // runc leaves the loopback device down

/** A cgroup of somebody else, at the top of a hierarchy, while an image is made. */
async function whileForeign(
  container: Restorable,
  mountPoint: string,
  by: (words: readonly string[]) => Promise<void>,
): Promise<void> {
  const { bundle, id, runtime } = container;
  const foreign = `${mountPoint}/foreign-${runtime.id()}`;
  await by(["run", "--detach", "--bundle", bundle.path, id]);
  await until("it waits", () => exists(`${bundle.rootfs}/tmp/waits`));
  Deno.mkdirSync(foreign);
  await by(container.line("checkpoint"));
  Deno.removeSync(foreign);
  await by(container.line("restore", "--detach"));
  assertEquals(exists(foreign), false);
  await container.assertKept();
  await by(["delete", "--force", id]);
}

checkpointTest(
  "cgroups of others stay out of the image of a container that has none",
  async (container) => {
    const [hierarchy] = cgroupHost().hierarchies;
    await whileForeign(container, hierarchy!.mountPoint, async (words) => {
      const all = ["--cgroup-manager", "disabled", ...words];
      await byShell(container, '"$0" "$@" >/dev/null 2>&1 </dev/null', all);
    });
  },
  () => {},
  WITH_CRIU_RUNTS_ONLY,
); // runc has no such manager

const UNIFIED = "/sys/fs/cgroup/unified";

checkpointTest(
  "cgroups of others stay out of the image where runts does not see their hierarchy",
  async (container) => {
    await whileForeign(container, UNIFIED, async (words) => {
      const script = `umount ${UNIFIED}; exec "$0" "$@" >/dev/null 2>&1 </dev/null`;
      const { runtime: { executable, root } } = container;
      const line = commandLine(executable, ["--root", root, ...words]);
      const unshare = ["unshare", "-m", "--propagation", "slave", "sh", "-c", script];
      assertEquals((await command([...unshare, ...line])).code, 0);
    });
  },
  () => {},
  { ignore: WITH_CRIU_RUNTS_ONLY.ignore || !exists(UNIFIED) },
);
