/** Containers of an ordinary user. */

import { assertEquals, assertMatch } from "@std/assert";
import type { Bundle, Config } from "../support/bundle.ts";
import { withRuntime } from "../support/host.ts";
import { type Output, PEER, RUNTIME, until } from "../support/runtime.ts";
import { OrdinaryUser } from "../support/user.ts";

/** A test with an ordinary user; nothing may stay behind. */
function test(
  name: string,
  fn: (user: OrdinaryUser) => Promise<void>,
  { ignore = false }: { ignore?: boolean } = {},
): void {
  Deno.test({
    name: `rootless: ${name}`,
    ignore,
    fn: () =>
      withRuntime(async () => {
        using user = new OrdinaryUser();
        await fn(user);
        assertEquals(user.containers(), []);
      }),
  });
}

/** Messages, and what runts alone does. */
const OURS = { ignore: PEER !== "runts" };

const shell = (script: string) => (config: Config) => config.process.args = ["sh", "-c", script];

/** Lines, with runs of blanks as one. */
function lines(text: string): string[] {
  return text.trim().split("\n").map((line) => line.trim().replace(/\s+/g, " "));
}

const MAPS = "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups";

test("a user without an entry in /etc/passwd is root in its container", async (user) => {
  const { code, stdout } = await user.container(shell(`id -u; id -g; ${MAPS}`));
  assertEquals({ code, stdout: lines(stdout) }, {
    code: 0,
    stdout: ["0", "0", `0 ${user.id} 1`, `0 ${user.id} 1`, "deny"],
  });
});

test("create, state, list, exec, kill and delete", async (user) => {
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
  await ok("kill", name, "TERM");
  await until("it has stopped", async () => (await state()).status === "stopped");
  await ok("delete", name);
  assertEquals(user.containers(), []);
});

test("delete --force ends a container that runs", async (user) => {
  using bundle = await user.bundle(shell("while :; do sleep 0.05; done"));
  const name = user.name();
  const started = await user.run(["run", "--detach", "--bundle", bundle.path, name]);
  assertEquals(started.code, 0, started.stderr);
  const { pid } = JSON.parse((await user.run(["state", name])).stdout);
  const { code, stderr } = await user.run(["delete", "--force", name]);
  assertEquals({ code, stderr }, { code: 0, stderr });
  await until("its process is gone", () => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

test("devices, masked and read-only paths, and a bind mount are as for root", async (user) => {
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

/** Runs a bundle on a terminal; the end of script's own input is echoed as "^@". */
async function onTerminal(user: OrdinaryUser, bundle: Bundle): Promise<Output> {
  const line = `${RUNTIME} run --bundle ${bundle.path} ${user.name()}`;
  const output = await user.command(["script", "-qec", line, "/dev/null"]);
  return { ...output, stdout: output.stdout.replaceAll("^@", "") };
}

test("a terminal", async (user) => {
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

test("the container stays in the cgroup of the caller", async (user) => {
  const own = Deno.readTextFileSync("/proc/self/cgroup");
  const { code, stdout } = await user.container((config) => {
    config.linux.namespaces = config.linux.namespaces.filter((one: Config) =>
      one.type !== "cgroup"
    );
    shell("cat /proc/self/cgroup")(config);
  });
  assertEquals({ code, stdout: lines(stdout) }, { code: 0, stdout: lines(own) });
}, OURS); // crun 1.8 does not have the hierarchies that were hidden from it

test("a network of its own has nothing but a loopback device that is up", async (user) => {
  const { code, stdout } = await user.container((config) => {
    config.linux.namespaces.push({ type: "network" });
    shell("ls /sys/class/net; busybox ip -o link | busybox cut -d' ' -f2,3")(config);
  });
  assertEquals(code, 0);
  assertMatch(lines(stdout).at(-1)!, /^lo: <LOOPBACK,UP/);
}, { ignore: PEER === "runc" }); // /sys is the host's there

/** The whole message of a container that is refused. */
function refused(
  name: string,
  edit: (config: Config, user: OrdinaryUser) => void,
  message: string | ((user: OrdinaryUser) => string),
  { prepare, env = {} }: {
    prepare?: (user: OrdinaryUser) => void;
    env?: Record<string, string>;
  } = {},
): void {
  test(`${name} is refused`, async (user) => {
    prepare?.(user);
    const output = await user.container((config) => edit(config, user), { env });
    const text = typeof message === "string" ? message : message(user);
    assertEquals(output, { code: 1, stdout: "", stderr: `runts: run "ID": ${text}\n` });
  }, OURS);
}

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

test("gid=5 of devpts is left out with a warning", async (user) => {
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

test("listing containers needs no state directory", async (user) => {
  const output = await user.run(["list", "--quiet"], { env: { XDG_RUNTIME_DIR: "" } });
  assertEquals(output, { code: 0, stdout: "", stderr: "" });
}, OURS); // the peers make the directory

test("root of a user namespace has containers, too", async (user) => {
  using bundle = await user.bundle(shell("id -u"));
  const config = JSON.parse(Deno.readTextFileSync(`${bundle.path}/config.json`));
  config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 1 }];
  bundle.save(JSON.stringify(config));
  const output = await user.command([
    ...["unshare", "--user", "--map-root-user", "--mount"],
    ...[RUNTIME, "run", "--bundle", bundle.path, user.name()],
  ]);
  assertEquals(output, { code: 0, stdout: "0\n", stderr: "" });
}, OURS);

test("user.max_user_namespaces of 0 is named", async (user) => {
  using bundle = await user.bundle((config) => {
    config.linux.uidMappings = config.linux.gidMappings = [{ containerID: 0, hostID: 0, size: 1 }];
  });
  const name = user.name();
  const { code, stdout, stderr } = await user.command([
    ...["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"],
    ...['echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', "sh"],
    ...[RUNTIME, "run", "--bundle", bundle.path, name],
  ]);
  assertEquals({ code, stdout, stderr: stderr.replace(name, "ID") }, {
    code: 1,
    stdout: "",
    stderr: 'runts: run "ID": linux.namespaces: make new namespaces: user, mount, pid, ipc, uts: ' +
      "ENOSPC (no space left on device): user.max_user_namespaces is 0\n",
  });
}, OURS);

/** A user with subordinate ids, whom newuidmap knows. */
function known(
  user: OrdinaryUser,
  subuid = "tester:500000:65536\n",
  subgid = subuid,
): void {
  user.register({
    passwd: `root:x:0:0:root:/root:/bin/sh\ntester:x:${user.id}:${user.id}::/:/bin/sh\n`,
    subuid,
    subgid,
  });
}

/** Maps the user to root, and its subordinate ids above that. */
function mapRange(config: Config, user: OrdinaryUser, start = 500000, size = 65536): void {
  config.linux.uidMappings = config.linux.gidMappings = [
    { containerID: 0, hostID: user.id, size: 1 },
    { containerID: 1, hostID: start, size },
  ];
}

/** What a map of all subordinate ids looks like inside. */
const wholeMap = (user: OrdinaryUser) => [`0 ${user.id} 1`, "1 500000 65536"];

test("newuidmap and newgidmap map subordinate ids", async (user) => {
  known(user);
  const { code, stdout, stderr } = await user.container((config) => {
    mapRange(config, user);
    config.process.user = { uid: 1000, gid: 1001, additionalGids: [7, 8] };
    shell(`id -u; id -g; busybox id -G; ${MAPS}`)(config);
  });
  assertEquals({ code, stdout: lines(stdout) }, {
    code: 0,
    stdout: ["1000", "1001", "1001 7 8", ...wholeMap(user), ...wholeMap(user), "allow"],
  }, stderr);
}, { ignore: PEER === "runc" }); // it refuses further groups

test("with subordinate ids, terminals have their group and files many owners", async (user) => {
  known(user);
  using bundle = await user.bundle((config) => {
    mapRange(config, user);
    config.root.readonly = false;
    config.mounts.find((one: Config) => one.type === "devpts").options.push("gid=5");
    config.process.terminal = true;
    const all = ["CAP_CHOWN", "CAP_FOWNER"];
    config.process.capabilities = { bounding: all, effective: all, permitted: all };
    shell("busybox stat -c %g $(tty); : > /file; busybox chown 33:34 /file")(config);
  });
  const { code, stdout } = await onTerminal(user, bundle);
  assertEquals({ code, stdout: lines(stdout).at(-1) }, {
    code: 0,
    stdout: "5",
  });
  const { uid, gid } = Deno.statSync(`${bundle.rootfs}/file`);
  assertEquals({ uid, gid }, { uid: 500032, gid: 500033 });
});

test("a further process has the groups that it asks for", async (user) => {
  known(user);
  using bundle = await user.bundle((config) => {
    mapRange(config, user);
    shell("while :; do sleep 0.05; done")(config);
  });
  const name = user.name();
  await user.run(["run", "--detach", "--bundle", bundle.path, name]);
  const inside = await user.run(["exec", "--user", "5:6", name, "busybox", "id", "-G"]);
  const { code } = await user.run(["delete", "--force", name]);
  assertEquals([inside.code, inside.stdout, code], [0, "6\n", 0], inside.stderr);
});

/** As `crun spec --rootless` leaves it. */
function withoutMaps(config: Config): void {
  delete config.linux.uidMappings;
  delete config.linux.gidMappings;
}

test("without maps in the configuration the subordinate ids are mapped", async (user) => {
  known(user);
  const { code, stdout } = await user.container((config) => {
    withoutMaps(config);
    shell(MAPS)(config);
  });
  assertEquals({ code, stdout: lines(stdout) }, {
    code: 0,
    stdout: [...wholeMap(user), ...wholeMap(user), "allow"],
  });
}, { ignore: PEER === "runc" }); // it refuses such a configuration

test(
  "without maps in the configuration the caller becomes the user of the process",
  async (user) => {
    known(user);
    const { code, stdout } = await user.container((config) => {
      withoutMaps(config);
      config.process.user = { uid: 1000, gid: 100 };
      shell(`id -u; id -g; ${MAPS}`)(config);
    });
    assertEquals({ code, stdout: lines(stdout) }, {
      code: 0,
      stdout: [
        ...["1000", "100", "0 500000 1000", `1000 ${user.id} 1`, "1001 501000 64536"],
        ...["0 500000 100", `100 ${user.id} 1`, "101 500100 65436", "allow"],
      ],
    });
  },
  { ignore: PEER === "runc" },
);

test("without maps and without newuidmap the caller alone is mapped", async (user) => {
  known(user);
  const { code, stdout } = await user.container((config) => {
    withoutMaps(config);
    shell(MAPS)(config);
  }, { env: { PATH: "/nonexistent" } });
  assertEquals({ code, stdout: lines(stdout) }, {
    code: 0,
    stdout: [`0 ${user.id} 1`, `0 ${user.id} 1`, "deny"],
  });
}, OURS);

refused(
  "a range of a user that is not in /etc/passwd",
  (config, user) => mapRange(config, user),
  (user) =>
    `linux.uidMappings: newuidmap refuses to map 0 ${user.id} 1 1 500000 65536: ` +
    `"Cannot determine your user name.": ` +
    `uid ${user.id} has no entry in /etc/passwd, which newuidmap needs`,
);
refused(
  "a range without an entry in /etc/subuid",
  (config, user) => mapRange(config, user),
  (user) =>
    `linux.uidMappings: newuidmap refuses to map 0 ${user.id} 1 1 500000 65536: ` +
    `"uid range [1-65537) -> [500000-565536) not allowed": ` +
    '/etc/subuid has no entry for "tester"',
  { prepare: (user) => known(user, "") },
);
refused(
  "a range that is larger than that in /etc/subuid",
  (config, user) => mapRange(config, user, 500000, 1001),
  (user) =>
    `linux.uidMappings: newuidmap refuses to map 0 ${user.id} 1 1 500000 1001: ` +
    `"uid range [1-1002) -> [500000-501001) not allowed": ` +
    '/etc/subuid allows "tester" only 500000 to 500999',
  { prepare: (user) => known(user, "tester:500000:1000\n") },
);
refused(
  "a range without newuidmap",
  (config, user) => mapRange(config, user),
  "linux.uidMappings: run newuidmap: ENOENT (no such file or directory): " +
    "more than one id can be mapped only with the uidmap package, or as root",
  { prepare: (user) => known(user), env: { PATH: "/nonexistent" } },
);
