/** Containers of an ordinary user. */

import { assertEquals, assertMatch } from "@std/assert";
import type { Config } from "../../support/bundle.ts";
import { lines, MAPS, onTerminal, OURS, refused, rootless, shell } from "../../support/rootless.ts";
import { isRunning } from "../../support/host.ts";
import { type Output, PEER, until } from "../../support/runtime.ts";
import { untilCaught } from "../../support/seen.ts";
import type { OrdinaryUser } from "../../support/user.ts";

const SIGTERM = 15;

rootless("a user without an entry in /etc/passwd is root in its container", async (user) => {
  const { code, stdout } = await user.container(shell(`id -u; id -g; ${MAPS}`));
  assertEquals({ code, stdout: lines(stdout) }, {
    code: 0,
    stdout: ["0", "0", `0 ${user.id} 1`, `0 ${user.id} 1`, "deny"],
  });
});

rootless("create, state, list, exec, kill and delete", async (user) => {
  using bundle = await user.bundle(shell("trap 'exit 3' TERM; while :; do sleep 0.05; done"));
  const name = user.name();
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await user.run(args);
    assertEquals(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const state = async () => JSON.parse(await ok("state", name));
  await ok("create", "--bundle", bundle.path, name);
  assertEquals((await state()).status, "created");
  await ok("start", name);
  assertEquals((await state()).status, "running");
  assertEquals(lines(await ok("list", "--quiet")), [name]);
  const inside = await ok("exec", name, "sh", "-c", "id -u; cat /proc/1/comm; exit 0");
  assertEquals(lines(inside), ["0", "sh"]);
  assertEquals((await user.run(["exec", name, "sh", "-c", "exit 9"])).code, 9);
  await untilCaught((await state()).pid, SIGTERM);
  await ok("kill", name, "TERM");
  await until("it has stopped", async () => (await state()).status === "stopped");
  await ok("delete", name);
  assertEquals(user.containers(), []);
});

rootless("delete --force ends a container that runs", async (user) => {
  using bundle = await user.bundle(shell("while :; do sleep 0.05; done"));
  const name = user.name();
  const started = await user.run(["run", "--detach", "--bundle", bundle.path, name]);
  assertEquals(started.code, 0, started.stderr);
  const { pid } = JSON.parse((await user.run(["state", name])).stdout);
  const { code, stderr } = await user.run(["delete", "--force", name]);
  assertEquals({ code, stderr }, { code: 0, stderr });
  await until("its process is gone", () => !isRunning(pid));
});

rootless("kill --all and ps reach all processes without a cgroup", async (user) => {
  using bundle = await user.bundle(shell("sleep 300 & sleep 300 & wait; wait; sleep 300"));
  const name = user.name();
  await user.run(["run", "--detach", "--bundle", bundle.path, name]);
  const pids = async () => JSON.parse((await user.run(["ps", "--format", "json", name])).stdout);
  await until("all of them run", async () => (await pids()).length === 3);
  const { pid: init } = JSON.parse((await user.run(["state", name])).stdout);
  const others = (await pids()).filter((pid: number) => pid !== init);
  const { code, stderr } = await user.run(["kill", "--all", name, "TERM"]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  // The shell is init of its namespace, and handles no SIGTERM; it starts one more program.
  await until("the others ended", () => others.every((pid: number) => !isRunning(pid)));
  assertEquals((await user.run(["delete", "--force", name])).code, 0);
}, OURS); // without a cgroup, ps of the peers fails

rootless("devices, masked and read-only paths, and a bind mount are as for root", async (user) => {
  const { code, stdout, stderr } = await user.container((config) => {
    config.mounts.push({
      destination: "/run",
      type: "bind",
      source: user.runtimeDirectory,
      options: ["bind"],
    });
    shell(`
      echo gone > /dev/null && busybox head -c 4 /dev/zero | busybox wc -c
      ls /sys/firmware | busybox wc -l
      echo x 2>/dev/null > /proc/sys/kernel/hostname || echo read-only
      echo kept > /run/file; busybox stat -c %u:%g /run/file
      (: > /refused) 2>/dev/null || echo root read-only`)(config);
  });
  assertEquals({ code, stdout: lines(stdout) }, {
    code: 0,
    stdout: ["4", "0", "read-only", "0:0", "root read-only"],
  }, stderr);
  const { uid, gid } = Deno.statSync(`${user.runtimeDirectory}/file`);
  assertEquals({ uid, gid }, { uid: user.id, gid: user.id });
});

rootless("a bind mount keeps the flags that its source has on the host", async (user) => {
  const source = `${user.directory}/source`;
  Deno.mkdirSync(source);
  user.setup = `mount -t tmpfs -o ro,nosuid,nodev,noexec tmpfs ${source}`;
  const { code, stdout, stderr } = await user.container((config) => {
    config.mounts.push({ destination: "/run", type: "bind", source, options: ["bind"] });
    shell("grep ' /run ' /proc/self/mounts | busybox cut -d' ' -f4")(config);
  });
  assertEquals({ code, stdout: stdout.split(",").slice(0, 4) }, {
    code: 0,
    stdout: ["ro", "nosuid", "nodev", "noexec"],
  }, stderr);
});

rootless("a terminal", async (user) => {
  using bundle = await user.bundle((config) => {
    config.process.terminal = true;
    shell("tty; busybox stat -c %u:%g:%a $(tty)")(config);
  });
  const { code, stdout } = await onTerminal(user, bundle);
  // The device of the terminal belongs to the user, group 5 not being mapped.
  assertEquals({ code, stdout: lines(stdout).slice(-2) }, {
    code: 0,
    stdout: ["/dev/pts/0", "0:0:620"],
  });
});

rootless("the container stays in the cgroup of the caller", async (user) => {
  const own = Deno.readTextFileSync("/proc/self/cgroup");
  const { code, stdout } = await user.container((config) => {
    config.linux.namespaces = config.linux.namespaces.filter((one: Config) =>
      one.type !== "cgroup"
    );
    shell("cat /proc/self/cgroup")(config);
  });
  assertEquals({ code, stdout: lines(stdout) }, { code: 0, stdout: lines(own) });
}, OURS); // crun 1.8 does not have the hierarchies that were hidden from it

rootless("a network of its own has nothing but a loopback device that is up", async (user) => {
  const { code, stdout } = await user.container((config) => {
    config.linux.namespaces.push({ type: "network" });
    shell("ls /sys/class/net; busybox ip -o link | busybox cut -d' ' -f2,3")(config);
  });
  assertEquals(code, 0);
  assertMatch(lines(stdout).at(-1)!, /^lo: <LOOPBACK,UP/);
}, { ignore: PEER === "runc" }); // /sys is the host's there

refused(
  "a user that is not mapped",
  (config) => config.process.user = { uid: 1000, gid: 1000 },
  "process.user: set gid 1000: EINVAL (invalid argument): " +
    "the user namespace must map uid 1000, gid 1000",
);
refused(
  "a further group",
  (config) => config.process.user.additionalGids = [7],
  "process.user.additionalGids: supplementary groups cannot be set: " +
    "setgroups is denied in the user namespace: map more than one group with newgidmap",
);
refused(
  "a container without a user namespace",
  (config) => {
    delete config.linux.uidMappings;
    delete config.linux.gidMappings;
    config.linux.namespaces = ["mount", "pid", "uts"].map((type) => ({ type }));
  },
  "linux.namespaces: make new namespaces: mount, pid, uts: EPERM (operation not permitted): " +
    "it takes root, or a user namespace in linux.namespaces",
);
refused(
  "a bind mount of what the user cannot reach",
  (config, user) => {
    Deno.mkdirSync(`${user.directory}/closed`, { mode: 0o700 });
    const source = `${user.directory}/closed/file`;
    config.mounts.push({ destination: "/tmp", type: "bind", source, options: ["bind"] });
  },
  ({ directory }) =>
    `mounts[7]: bind "${directory}/closed/file" on "/tmp": "${directory}/closed" (mode 0700, ` +
    "owner 65534:65534) cannot be searched by 0:0: EACCES (permission denied)",
);
refused(
  "a state directory that cannot be made",
  () => {},
  (user) =>
    `make state directory "/run/user/${user.id}/runts/ID": EACCES (permission denied): ` +
    "XDG_RUNTIME_DIR is not set: set it to a directory of your own, or give --root",
  { env: { XDG_RUNTIME_DIR: "" } },
);
refused(
  "a state directory below one of root",
  () => {},
  'make state directory "/root/runts/ID": EACCES (permission denied)',
  { env: { XDG_RUNTIME_DIR: "/root" } },
);

rootless("gid=5 of devpts is left out with a warning", async (user) => {
  const output = await user.container((config) => {
    config.mounts.find((one: Config) => one.type === "devpts").options.push("gid=5");
    shell("busybox stat -c %g /dev/pts")(config);
  });
  assertEquals(output, {
    code: 0,
    stdout: "0\n",
    stderr: "runts: warning: mounts[2]: gid=5 is left out: linux.gidMappings lack it\n",
  });
}, OURS);

rootless("listing containers needs no state directory", async (user) => {
  const output = await user.run(["list", "--quiet"], { env: { XDG_RUNTIME_DIR: "" } });
  assertEquals(output, { code: 0, stdout: "", stderr: "" });
}, OURS); // the peers make the directory

/**
 * Runs a container as root of a user namespace, which unshare(1) makes; `words` are its options, and
 * what it runs before. The name of the container is ID in what it says.
 */
async function asNamespaceRoot(
  user: OrdinaryUser,
  words: readonly string[],
  edit: (config: Config) => void = () => {},
): Promise<Output> {
  using bundle = await user.bundle((config) => {
    config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 1 }];
    edit(config);
  });
  const name = user.name();
  const run = [user.runtime, "run", "--bundle", bundle.path, name];
  const output = await user.command(["unshare", "--user", "--map-root-user", ...words, ...run]);
  return { ...output, stderr: output.stderr.replaceAll(name, "ID") };
}

rootless("root of a user namespace has containers, too", async (user) => {
  const output = await asNamespaceRoot(user, ["--mount"], shell("id -u"));
  assertEquals(output, { code: 0, stdout: "0\n", stderr: "" });
}, OURS);

rootless("root of a user namespace is told that it needs a mount namespace", async (user) => {
  assertEquals(await asNamespaceRoot(user, []), {
    code: 1,
    stdout: "",
    stderr: 'runts: run "ID": mounts[5]: open the bind source "/sys": ' +
      "EPERM (operation not permitted): runts does not own its mount namespace: " +
      "use unshare --mount\n",
  });
}, OURS);

rootless("user.max_user_namespaces of 0 is named", async (user) => {
  const script = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"';
  assertEquals(await asNamespaceRoot(user, ["--mount", "sh", "-c", script, "sh"]), {
    code: 1,
    stdout: "",
    stderr: 'runts: run "ID": linux.namespaces: make new namespaces: user, mount, pid, ipc, uts: ' +
      "ENOSPC (no space left on device): user.max_user_namespaces is 0\n",
  });
}, OURS);
