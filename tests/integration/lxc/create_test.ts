/** create: templates as LXC calls them, and what is left when they fail. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { IS_LXC, lxcLine, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { RUNTS_WITH_TEMPLATES, Store, WITH_TEMPLATES } from "../../support/lxc_store.ts";
import { command, RUNTIME, until } from "../../support/runtime.ts";

const HEADER = (template: string, words = "") =>
  `# Template used to create this container: ${template}
# Parameters passed to the template:${words}
# For additional config options, please look at lxc.container.conf(5)

# Uncomment the following line to support nesting containers:
#lxc.include = /usr/share/lxc/config/nesting.conf
# (Be aware this has security implications)

`;

Deno.test("a template is told where the container is, and what it was given", async () => {
  await using store = new Store();
  const template = store.template("tell", '#!/bin/sh\nprintf "%s\\n" "$@"\nls $PWD >/dev/null\n');
  const config = store.file("config", "lxc.uts.name = web\n# remark\n\nlxc.arch = x86_64\n");
  const output = await store.ok(
    ...["create", "-n", "web", "-t", template, "-f", config, "--", "a", "b c"] as const,
  );
  const directory = `${store.path}/web`;
  assertEquals(output.split("\n"), [
    ...[`--path=${directory}`, "--name=web", `--rootfs=${directory}/rootfs`, "a", "b c", ""],
  ]);
  assertEquals(store.names("web"), ["config", "rootfs"]);
  assertEquals(
    store.read("web/config").replace(/\n\n(?=lxc.arch)/, "\n"),
    HEADER(template, " a b c") +
      `lxc.uts.name = web\n# remark\nlxc.arch = x86_64\nlxc.rootfs.path = dir:${directory}/rootfs\n`,
  );
  const modes = ["", "/config", "/rootfs"].map((name) =>
    (Deno.statSync(directory + name).mode! & 0o7777).toString(8)
  );
  assertEquals(modes, ["770", "640", "755"]);
});

Deno.test("while a template runs there is a file that says so, and its mounts are its own", async () => {
  await using store = new Store();
  const template = store.template(
    "look",
    `#!/bin/sh
path=\${1#--path=}
ls $path
readlink /proc/self/ns/mnt /proc/self/ns/user
`,
  );
  const output = await store.ok("create", "-n", "web", "-t", template, "-f", "/dev/null");
  const [config, partial, rootfs, mounts, users] = output.split("\n");
  assertEquals([config, partial, rootfs], ["config", "partial", "rootfs"]);
  assertEquals(mounts === Deno.readLinkSync("/proc/self/ns/mnt"), false);
  assertEquals(users, Deno.readLinkSync("/proc/self/ns/user"));
});

Deno.test("with ids of its own the template is root of the container's user namespace", async () => {
  await using store = new Store();
  const template = store.template(
    "mapped",
    `#!/bin/sh
echo "$@" | sed 's/.*rootfs //'
cat /proc/self/uid_map | tr -s ' '
id -u
touch \${3#--rootfs=}/file
`,
  );
  const config = store.file(
    "config",
    "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 200000 65536\n",
  );
  const output = await store.ok("create", "-n", "web", "-t", template, "-f", config);
  assertEquals(output.split("\n").map((line) => line.trim()), [
    "--mapped-uid 65536 --mapped-gid 65536",
    ...["0 100000 65536", "65536 0 1", "0", ""],
  ]);
  const owners = ["", "/config", "/rootfs", "/rootfs/file"].map((name) => {
    const { uid, gid } = Deno.statSync(`${store.path}/web${name}`);
    return [uid, gid];
  });
  assertEquals(owners, [[100000, 200000], [0, 0], [100000, 200000], [100000, 200000]]);
});

Deno.test("the template none makes a configuration and nothing else", async () => {
  await using store = new Store();
  await store.ok("create", "-n", "web", "-t", "none", "-f", store.file("c", "lxc.tty.max = 1\n"));
  assertEquals(store.names("web"), ["config"]);
  assertEquals(store.read("web/config"), "lxc.tty.max = 1\n");
});

Deno.test("the root filesystem is where --dir or the configuration has it", async () => {
  await using store = new Store();
  const small = `${store.beside}/small`;
  await store.ok(
    "create",
    "-n",
    "a",
    "-t",
    small,
    "-f",
    "/dev/null",
    "--dir",
    `${store.beside}/a/b`,
  );
  assertEquals(store.setting("a", "lxc.rootfs.path"), `dir:${store.beside}/a/b`);
  assertEquals(Deno.readTextFileSync(`${store.beside}/a/b/etc/file`), "text\n");
  Deno.mkdirSync(`${store.beside}/own`);
  const config = store.file("c", `lxc.rootfs.path = dir:${store.beside}/own\n`);
  await store.ok("create", "-n", "b", "-t", small, "-f", config);
  assertEquals(store.setting("b", "lxc.rootfs.path"), `dir:${store.beside}/own`);
  assertEquals(Deno.readTextFileSync(`${store.beside}/own/etc/file`), "text\n");
  await store.ok("destroy", "-n", "a");
  await store.ok("destroy", "-n", "b");
  assertEquals(Array.from(Deno.readDirSync(`${store.beside}`), ({ name }) => name).toSorted(), [
    ...["a", "c", "config", "small"],
  ]);
});

Deno.test("busybox is made by LXC's template, starts and stops", WITH_TEMPLATES, async () => {
  await using store = new Store();
  const config = `${store.beside}/config`;
  await store.ok("create", "-n", "web", "-t", "busybox", "-f", config);
  assertEquals(
    store.read("web/config").startsWith(HEADER("/usr/share/lxc/templates/lxc-busybox")),
    true,
  );
  await store.ok("start", "-n", "web");
  assertEquals(await store.ok("attach", "-n", "web", "--", "/bin/hostname"), "web\n");
  await store.ok("stop", "-n", "web", "-k");
});

Deno.test(
  "an image of a filesystem is unpacked by LXC's template local",
  WITH_TEMPLATES,
  async () => {
    await using store = new Store();
    Deno.mkdirSync(`${store.beside}/tree/etc`, { recursive: true });
    Deno.writeTextFileSync(`${store.beside}/tree/etc/file`, "text");
    store.file("metadata", "");
    Deno.mkdirSync(`${store.beside}/meta`);
    Deno.writeTextFileSync(`${store.beside}/meta/config`, "lxc.signal.halt = SIGUSR1\n");
    const pack = (name: string, directory: string) =>
      command([
        "tar",
        "-C",
        `${store.beside}/${directory}`,
        "-cJf",
        `${store.beside}/${name}`,
        ".",
      ]);
    await pack("rootfs.tar.xz", "tree");
    await pack("meta.tar.xz", "meta");
    await store.ok(
      ...["create", "-n", "web", "-t", "local", "-f", `${store.beside}/config`, "--"] as const,
      ...["-m", `${store.beside}/meta.tar.xz`, "-f", `${store.beside}/rootfs.tar.xz`],
    );
    assertEquals(store.read("web/rootfs/etc/file"), "text");
    assertEquals(store.setting("web", "lxc.signal.halt"), "SIGUSR1");
    assertEquals(store.setting("web", "lxc.net.0.type"), "empty");
  },
);

// LXC prints other words.
Deno.test(
  "what cannot be made is told in words, and nothing is left",
  RUNTS_WITH_TEMPLATES,
  async () => {
    await using store = new Store();
    const small = `${store.beside}/small`;
    const fails = store.template("fails", "#!/bin/sh\nmkdir -p ${3#--rootfs=}/a; exit 7\n");
    const killed = store.template("killed", "#!/bin/sh\nkill -9 $$\n");
    const none = store.file("none", "not a program\n");
    const wrong = store.file("wrong", "lxc.tty.max = many\n");
    const loop = store.file("loop", "lxc.rootfs.path = loop:/file\n");
    await store.make("there");
    const cases: [args: string[], message: string][] = [
      [["-n", "web", "-t", fails], `create "web": template "${fails}": exit status 7`],
      [["-n", "web", "-t", killed], `create "web": template "${killed}": killed by SIGKILL`],
      [
        ["-n", "web", "-t", none],
        `create "web": execute "${none}": EACCES (permission denied)`,
      ],
      [
        ["-n", "web", "-t", "busyboz"],
        'create "web": template "busyboz" does not exist: there is no ' +
        '"/usr/share/lxc/templates/lxc-busyboz" and no ' +
        '"/usr/local/share/lxc/templates/lxc-busyboz": did you mean "busybox"?',
      ],
      [
        ["-n", "web"],
        "lxc create: no template is named: use -t TEMPLATE; none makes a configuration alone",
      ],
      [["-t", "none"], "lxc create: no container is named: use -n NAME"],
      [["-n", "a/b", "-t", "none"], 'create "a/b": "a/b" is not the name of a container'],
      [
        ["-n", "there", "-t", small],
        `create "there": the container exists already: there is "${store.path}/there"`,
      ],
      [
        ["-n", "web", "-t", small, "-f", `${store.beside}/nothing`],
        `create "web": read "${store.beside}/nothing": ENOENT (no such file or directory)`,
      ],
      [
        ["-n", "web", "-t", small, "-f", wrong],
        `create "web": ${wrong}:1: lxc.tty.max: "many" is not a whole number from 0 to 1024`,
      ],
      [
        ["-n", "web", "-t", small, "-f", loop],
        'create "web": a root filesystem of the kind loop cannot be made: make it, and use the ' +
        "template none",
      ],
      [
        ["-n", "web", "-t", small, "-B", "zfs"],
        'lxc create: a root filesystem of the kind "zfs" cannot be made: it is one of dir',
      ],
      [
        ["-n", "web", "-t", small, "-B", "dirr"],
        'lxc create: "dirr" is no kind of root filesystem: did you mean "dir"?',
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await store.run("create", ...args);
      assertEquals({ code, stdout, stderr }, {
        code: 1,
        stdout: "",
        stderr: `runts: ${message}\n`,
      });
      assertEquals(store.names(), ["there"]);
    }
  },
);

Deno.test("a template that fails leaves no root filesystem elsewhere either", async () => {
  await using store = new Store();
  const fails = store.template("fails", "#!/bin/sh\ntouch ${3#--rootfs=}/a; exit 1\n");
  const dir = `${store.beside}/root`;
  const { code } = await store.run("create", "-n", "web", "-t", fails, "-f", "/dev/null");
  assertEquals([code, store.names()], [1, []]);
  await store.run("create", "-n", "web", "-t", fails, "-f", "/dev/null", "--dir", dir);
  assertEquals(store.names(), []);
  // LXC leaves it.
  if (!IS_LXC) assertThrows(() => Deno.statSync(dir), Deno.errors.NotFound);
});

Deno.test("a disk that fills leaves nothing", async () => {
  await using store = new Store();
  const fills = store.template(
    "fills",
    "#!/bin/sh\nset -e\nhead -c 1000000 /dev/zero > ${3#--rootfs=}/big\n",
  );
  Deno.mkdirSync(`${store.path}/disk`);
  await command(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", `${store.path}/disk`]);
  try {
    const args = ["-P", `${store.path}/disk`, "-n", "web", "-t", fills, "-f", "/dev/null"];
    const { code, stderr } = await command(lxcLine("create", args));
    assertEquals(code, 1);
    assertMatch(stderr, /No space left on device/);
    assertEquals(store.names("disk"), []);
  } finally {
    await command(["umount", `${store.path}/disk`]);
    Deno.removeSync(`${store.path}/disk`);
  }
});

const WAITS = "#!/bin/sh\necho waits > ${3#--rootfs=}/waits; exec sleep 60\n";

/** Starts to make a container whose template waits. */
async function beginCreate(store: Store): Promise<Deno.ChildProcess> {
  const waits = store.template("waits", WAITS);
  const args = ["-P", store.path, "-n", "web", "-t", waits, "-f", "/dev/null"];
  const [program, ...line] = lxcLine("create", args);
  const child = new Deno.Command(program!, { args: line, stdout: "null", stderr: "piped" }).spawn();
  await until("the template waits", () => {
    try {
      return store.read("web/rootfs/waits") === "waits\n";
    } catch {
      return false;
    }
  });
  return child;
}

/** What is left of its template. */
async function sleepers(store: Store): Promise<string> {
  const { stdout } = await command(["pgrep", "-f", `${store.beside}/waits`]);
  return stdout;
}

// LXC is killed by the signal, and leaves all.
Deno.test("a signal ends a template, and nothing is left", RUNTS_LXC_ONLY, async () => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    await using store = new Store();
    const child = await beginCreate(store);
    child.kill(signal);
    const output = await child.output();
    const stderr = new TextDecoder().decode(output.stderr);
    assertEquals([output.code, stderr], [code, `runts: lxc create: ended by ${signal}\n`]);
    assertEquals([store.names(), await sleepers(store)], [[], ""]);
  }
});

// LXC says that it exists already.
Deno.test("what a killed command left is made anew", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  const child = await beginCreate(store);
  const busy = await store.run("create", "-n", "web", "-t", "none");
  assertEquals(busy.stderr, 'runts: create "web": another command is making the container\n');
  const early = await store.run("start", "-n", "web");
  assertEquals(early.stderr, 'runts: start "web": another command is making the container\n');
  child.kill("SIGKILL");
  await child.output();
  await until("the template is gone", async () => await sleepers(store) === "");
  assertEquals(store.names("web"), ["config", "partial", "rootfs"]);
  const late = await store.run("start", "-n", "web");
  assertEquals(
    late.stderr,
    'runts: start "web": container "web" was not made to its end: destroy it\n',
  );
  await store.ok("create", "-n", "web", "-t", `${store.beside}/small`, "-f", "/dev/null");
  assertEquals(store.names("web"), ["config", "rootfs"]);
});

// This is about runts' own command.
Deno.test("LXC's commands see what runts has made", RUNTS_WITH_TEMPLATES, async () => {
  await using store = new Store();
  await store.make("web");
  const { stdout } = await command([
    "lxc-info",
    "-P",
    store.path,
    "-n",
    "web",
    "-c",
    "lxc.tty.max",
  ]);
  assertEquals(stdout, "lxc.tty.max = 2\n");
  const { code } = await command(["lxc-destroy", "-P", store.path, "-n", "web"]);
  assertEquals([code, store.names()], [0, []]);
  const version = await command([RUNTIME, "lxc", "create", "--version"]);
  assertEquals(version.stdout, "5.0.2\n");
});
