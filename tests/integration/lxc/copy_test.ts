/** copy: what a copy has of its own, what it shares, and what is left when it fails. */

import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { IS_LXC, lxcLine, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Store, WITH_TEMPLATES } from "../../support/lxc_store.ts";
import { command } from "../../support/runtime.ts";

const FAILS = (command: string, message: string) => ({
  code: 1,
  stdout: "",
  stderr: `runts: ${command}: ${message}\n`,
});

Deno.test("a copy has its own data, host name and addresses; comments and includes stay", async () => {
  await using store = new Store();
  Deno.mkdirSync(`${store.beside}/included`);
  await store.make(
    "web",
    "# remark",
    `lxc.include = ${store.beside}/included/`,
    "lxc.uts.name = web",
    "lxc.net.0.hwaddr = 00:16:3e:11:22:33",
  );
  await store.ok("copy", "-n", "web", "-N", "other");
  assertEquals(store.setting("other", "lxc.rootfs.path"), `dir:${store.path}/other/rootfs`);
  assertEquals(store.setting("other", "lxc.uts.name"), "other");
  const address = store.setting("other", "lxc.net.0.hwaddr")!;
  assertMatch(address, /^00:16:3e(:[0-9a-f]{2}){3}$/);
  assertNotEquals(address, "00:16:3e:11:22:33");
  const kept = (name: string) =>
    store.read(`${name}/config`).split("\n").filter((line) =>
      line !== "" && !/^lxc\.(rootfs.path|uts.name|net.0.hwaddr)/.test(line)
    );
  assertEquals(kept("other"), kept("web"));
  assertEquals(store.read("other/rootfs/etc/file"), "text\n");
  assertEquals(store.read("other/rootfs/etc/hostname"), "other");
  assertEquals(store.read("web/rootfs/etc/hostname"), "old\n");
  assertEquals(store.names("other"), ["config", "rootfs"]);
  assertEquals((Deno.statSync(`${store.path}/other`).mode! & 0o7777).toString(8), "770");
});

Deno.test("a copy has hard links, holes, attributes, owners, times and nodes of the files", async () => {
  await using store = new Store();
  await store.make("web");
  const etc = `${store.path}/web/rootfs/etc`;
  await command(["truncate", "-s", "64M", `${etc}/holes`]);
  await command(["setcap", "cap_net_raw+ep", `${etc}/file`]);
  await command(["mknod", `${etc}/null`, "c", "1", "3"]);
  Deno.writeTextFileSync(`${etc}/owned`, "");
  Deno.chownSync(`${etc}/owned`, 1000, 1001);
  Deno.chmodSync(`${etc}/owned`, 0o4750);
  Deno.utimeSync(`${etc}/owned`, 1000, 2000);
  await store.ok("copy", "-n", "web", "-N", "other");
  const copy = `${store.path}/other/rootfs/etc`;
  const { ino } = Deno.statSync(`${copy}/file`);
  assertEquals(Deno.statSync(`${store.path}/other/rootfs/bin/link`).ino, ino);
  const [holes, owned] = [Deno.statSync(`${copy}/holes`), Deno.statSync(`${copy}/owned`)];
  assertEquals([holes.size, holes.blocks! < 64], [64 << 20, true]);
  const facts = [owned.uid, owned.gid, owned.mode! & 0o7777, owned.mtime!.getTime() / 1000];
  assertEquals(facts, [1000, 1001, 0o4750, 2000]);
  assertMatch((await command(["getcap", `${copy}/file`])).stdout, /cap_net_raw=ep/);
  const node = Deno.statSync(`${copy}/null`);
  assertEquals([node.isCharDevice, node.rdev], [true, 0x103]);
});

Deno.test("-K keeps the host name, -M the addresses, -p takes another directory", async () => {
  await using store = new Store();
  await store.make("web", "lxc.uts.name = www", "lxc.net.0.hwaddr = 00:16:3e:11:22:33");
  Deno.mkdirSync(`${store.beside}/others`);
  await store.ok("copy", "-n", "web", "-N", "web", "-K", "-M", "-p", `${store.beside}/others`);
  const config = Deno.readTextFileSync(`${store.beside}/others/web/config`);
  assertMatch(config, /^lxc\.uts\.name = www$/m);
  assertMatch(config, /^lxc\.net\.0\.hwaddr = 00:16:3e:11:22:33$/m);
  const hostname = Deno.readTextFileSync(`${store.beside}/others/web/rootfs/etc/hostname`);
  assertEquals(hostname, "old\n");
});

Deno.test("clone hooks run with the copy's facts, and the hooks of the directory are copied", async () => {
  await using store = new Store();
  await store.make("web");
  const hook = `${store.path}/web/hook`;
  Deno.writeTextFileSync(
    hook,
    `#!/bin/sh\necho "$@" > ${store.beside}/seen\necho $LXC_SRC_NAME $LXC_NAME $LXC_ROOTFS_MOUNT ` +
      `$LXC_CONFIG_FILE >> ${store.beside}/seen\n`,
    { mode: 0o755 },
  );
  Deno.writeTextFileSync(`${store.path}/web/fstab`, "# none\n");
  Deno.writeTextFileSync(
    `${store.path}/web/config`,
    `lxc.hook.clone = ${hook}\nlxc.mount.fstab = ${store.path}/web/fstab\n`,
    { append: true },
  );
  await store.ok("copy", "-n", "web", "-N", "other", "--", "x", "y z");
  const directory = `${store.path}/other`;
  assertEquals(Deno.readTextFileSync(`${store.beside}/seen`).split("\n"), [
    "other lxc clone x y z",
    `web other ${directory}/rootfs ${directory}/config`,
    "",
  ]);
  assertEquals(store.setting("other", "lxc.hook.clone"), `${directory}/hook`);
  assertEquals(store.setting("other", "lxc.mount.fstab"), `${directory}/fstab`);
  assertEquals(store.names("other"), ["config", "fstab", "hook", "rootfs"]);
});

Deno.test("clone hooks find the root filesystem of an overlay mounted, and nobody else does", async () => {
  await using store = new Store();
  const seen = `${store.beside}/seen`;
  const hook = store.template(
    "hook",
    `#!/bin/sh\ncd $LXC_ROOTFS_MOUNT && cat etc/file > ${seen} && echo made > etc/made\n`,
  );
  await store.make("web", `lxc.hook.clone = ${hook}`);
  await store.ok("copy", "-n", "web", "-N", "over", "-s");
  assertEquals(Deno.readTextFileSync(seen), "text\n");
  assertEquals(store.read("over/overlay/delta/etc/made"), "made\n");
  assertEquals(store.names("web/rootfs/etc"), ["file", "hostname"]);
  const mounts = Deno.readTextFileSync("/proc/self/mountinfo");
  assertEquals(mounts.includes(store.path), false);
});

Deno.test("-s makes an overlay, which the container then has to stay for", async () => {
  await using store = new Store();
  await store.make("web");
  await store.ok("copy", "-n", "web", "-N", "c", "-s");
  const path = (name: string) => store.setting(name, "lxc.rootfs.path");
  assertEquals(path("c"), `overlay:${store.path}/web/rootfs:${store.path}/c/overlay/delta`);
  assertEquals(store.read("c/overlay/delta/etc/hostname"), "c");
  assertEquals(store.read("web/lxc_snapshots"), `${store.path}\nc\n`);
  assertEquals(store.read("c/lxc_rdepends"), `${store.path}\nweb\n`);
  const { code } = await store.run("destroy", "-n", "web");
  assertEquals([code, store.names()], [1, ["c", "web"]]);
  Deno.writeTextFileSync(`${store.path}/c/overlay/delta/new`, "new\n");
  await store.ok("copy", "-n", "c", "-N", "d", "-s");
  assertEquals(path("d"), `overlay:${store.path}/web/rootfs:${store.path}/d/overlay/delta`);
  assertEquals(store.read("d/overlay/delta/new"), "new\n");
  assertEquals(store.read("web/lxc_snapshots"), `${store.path}\nc\n${store.path}\nd\n`);
  assertEquals(store.read("d/lxc_rdepends"), `${store.path}\nweb\n${store.path}\nc\n`);
  await store.ok("copy", "-n", "d", "-N", "whole", "-B", "dir");
  assertEquals(path("whole"), `dir:${store.path}/whole/rootfs`);
  const files = ["new", "etc/file", "etc/hostname"].map((name) =>
    store.read(`whole/rootfs/${name}`)
  );
  assertEquals(files, ["new\n", "text\n", "whole"]);
  for (const name of ["d", "c", "whole", "web"]) await store.ok("destroy", "-n", name);
  assertEquals(store.names(), []);
});

Deno.test("-R renames: the same files under another name", async () => {
  await using store = new Store();
  await store.make("web", "lxc.net.0.hwaddr = 00:16:3e:11:22:33");
  const { ino } = Deno.statSync(`${store.path}/web/rootfs/etc/file`);
  await store.ok("copy", "-n", "web", "-N", "www", "-R");
  assertEquals(store.names(), ["www"]);
  assertEquals(store.setting("www", "lxc.rootfs.path"), `dir:${store.path}/www/rootfs`);
  assertEquals(store.setting("www", "lxc.uts.name"), "www");
  assertEquals(store.setting("www", "lxc.net.0.hwaddr"), "00:16:3e:11:22:33");
  assertEquals(store.read("www/rootfs/etc/hostname"), "www");
  // LXC copies, and removes.
  if (!IS_LXC) assertEquals(Deno.statSync(`${store.path}/www/rootfs/etc/file`).ino, ino);
});

// LXC refuses it.
Deno.test("a renamed overlay is known under its new name", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  await store.make("web");
  await store.ok("copy", "-n", "web", "-N", "c", "-s");
  await store.ok("copy", "-n", "c", "-N", "d", "-R");
  assertEquals(
    store.setting("d", "lxc.rootfs.path"),
    `overlay:${store.path}/web/rootfs:${store.path}/d/overlay/delta`,
  );
  assertEquals(store.read("web/lxc_snapshots"), `${store.path}\nd\n`);
  assertEquals(store.read("d/lxc_rdepends"), `${store.path}\nweb\n`);
});

// LXC prints other words, or none.
Deno.test(
  "what cannot be copied is told in words, and nothing is left",
  RUNTS_LXC_ONLY,
  async () => {
    await using store = new Store();
    await store.make("web");
    await store.ok("copy", "-n", "web", "-N", "c", "-s");
    store.file("config-zfs", "");
    await store.ok(
      "create",
      "-n",
      "z",
      "-t",
      "none",
      "-f",
      store.file("z", "lxc.rootfs.path = zfs:a/b\n"),
    );
    const hooked = "lxc.hook.clone = sh -c 'echo no >&2; exit 3'";
    await store.make("hooked", hooked);
    const before = store.names();
    const cases: [args: string[], message: string][] = [
      [["-n", "web"], "lxc copy: the copy is not named: use -N NAME"],
      [
        ["-n", "web", "-N", "c"],
        `copy "web": the container exists already: there is "${store.path}/c"`,
      ],
      [
        ["-n", "none", "-N", "x"],
        `copy "none": container "none" does not exist: there is no file ${store.path}/none/config`,
      ],
      [
        ["-n", "web", "-N", "x", "-p", `${store.path}/nowhere`],
        `copy "web": there is no directory "${store.path}/nowhere" for the copy`,
      ],
      [
        ["-n", "web", "-N", "x", "-R"],
        `copy "web": the container has clones: "${store.path}/c": destroy them first`,
      ],
      [
        ["-n", "web", "-N", "x", "-B", "btrfs"],
        'lxc copy: a root filesystem of the kind "btrfs" cannot be made: it is one of dir, overlay',
      ],
      [["-n", "z", "-N", "x"], 'copy "z": a root filesystem of the kind zfs cannot be copied'],
      [["-n", "web", "-N", "x", "-B", "overlay"], "lxc copy: an overlay is made with --snapshot"],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await store.run("copy", ...args);
      assertEquals({ code, stdout, stderr }, {
        code: 1,
        stdout: "",
        stderr: `runts: ${message}\n`,
      });
      assertEquals(store.names(), before);
    }
    const { code, stderr } = await store.run("copy", "-n", "hooked", "-N", "x");
    assertEquals([code, stderr, store.names()], [
      1,
      'no\nrunts: copy "hooked": beyond.hooks.stages["clone"][0]: hook "sh -c \'echo no >&2; exit ' +
      '3\'": exit status 3: stderr "no"\n',
      before,
    ]);
  },
);

Deno.test("a disk that fills leaves nothing of the copy", async () => {
  await using store = new Store();
  await store.make("web");
  Deno.writeFileSync(`${store.path}/web/rootfs/etc/big`, new Uint8Array(1 << 20).fill(1));
  const disk = `${store.beside}/disk`;
  Deno.mkdirSync(disk);
  await command(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]);
  try {
    const output = await store.run("copy", "-n", "web", "-N", "x", "-p", disk);
    const left = Array.from(Deno.readDirSync(disk), ({ name }) => name);
    assertEquals([output.code, left], [1, []]);
    if (IS_LXC) return;
    const what = `write "${disk}/x/rootfs/etc/big": ENOSPC (no space left on device)`;
    assertEquals({ ...output }, FAILS('copy "web"', what));
  } finally {
    await command(["umount", disk]);
  }
});

Deno.test(
  "a container that runs is copied as an overlay only, when that is asked for",
  WITH_TEMPLATES,
  async () => {
    await using store = new Store();
    await store.ok("create", "-n", "web", "-t", "busybox", "-f", `${store.beside}/config`);
    await store.ok("start", "-n", "web");
    const plain = await store.run("copy", "-n", "web", "-N", "x");
    const snapshot = await store.run("copy", "-n", "web", "-N", "x", "-s");
    const renamed = await store.run("copy", "-n", "web", "-N", "x", "-R");
    assertEquals([plain.code, snapshot.code, renamed.code, store.names()], [1, 1, 1, ["web"]]);
    if (!IS_LXC) {
      const hint = "stop it; what --snapshot makes can be had with --allowrunning, too";
      assertEquals({ ...plain }, FAILS('copy "web"', `the container runs: ${hint}`));
      const other = "the container runs: stop it, or use --allowrunning";
      assertEquals({ ...snapshot }, FAILS('copy "web"', other));
      assertEquals({ ...renamed }, FAILS('copy "web"', "the container runs: stop it"));
    }
    await store.ok("copy", "-n", "web", "-N", "x", "-s", "-a");
    assertEquals(store.names(), ["web", "x"]);
    await store.ok("stop", "-n", "web", "-k");
  },
);

Deno.test("a host name that is a link out of the copy is left alone", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  await store.make("web");
  const outside = store.file("outside", "untouched\n");
  Deno.removeSync(`${store.path}/web/rootfs/etc/hostname`);
  Deno.symlinkSync(outside, `${store.path}/web/rootfs/etc/hostname`);
  await store.ok("copy", "-n", "web", "-N", "other");
  await store.ok("copy", "-n", "web", "-N", "over", "-s");
  assertEquals(Deno.readTextFileSync(outside), "untouched\n");
  assertEquals(Deno.readLinkSync(`${store.path}/other/rootfs/etc/hostname`), outside);
});

// It is killed, and nothing is cleared away.
Deno.test("a signal ends a copy, and nothing is left of it", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  await store.make("web", "lxc.hook.clone = sleep 1");
  for (let at = 0; at < 200; at++) {
    await Deno.writeFile(`${store.path}/web/rootfs/etc/${at}`, new Uint8Array(1 << 16).fill(1));
  }
  const args = ["-P", store.path, "-n", "web", "-N", "x"];
  const [program, ...line] = lxcLine("copy", args);
  const child = new Deno.Command(program!, { args: line, stderr: "piped" }).spawn();
  while (!store.names().includes("x")) await new Promise((done) => setTimeout(done, 1));
  child.kill("SIGTERM");
  const { code, stderr } = await child.output();
  const text = new TextDecoder().decode(stderr);
  // It may have come to the hook, which is not cut short.
  if (code !== 0) assertEquals([code, text], [143, "runts: lxc copy: ended by SIGTERM\n"]);
  assertEquals(store.names(), code === 0 ? ["web", "x"] : ["web"]);
});
