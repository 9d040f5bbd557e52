/** snapshot: states that are kept, listed, brought back and removed. */

import { assertEquals, assertMatch } from "@std/assert";
import { IS_LXC, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Store, WITH_TEMPLATES } from "../../support/lxc_store.ts";
import { command } from "../../support/runtime.ts";

const TIME = String.raw`\d{4}:\d\d:\d\d \d\d:\d\d:\d\d`;

Deno.test("states are kept and listed, with what was said of them", async () => {
  await using store = new Store();
  await store.make("web", "lxc.uts.name = www", "lxc.net.0.hwaddr = 00:16:3e:11:22:33");
  assertEquals(await store.ok("snapshot", "-n", "web", "-L"), "No snapshots\n");
  await store.ok("snapshot", "-n", "web");
  await store.ok("snapshot", "-n", "web", "-c", store.file("comment", "before the change\n"));
  const snaps = `${store.path}/web/snaps`;
  const line = (name: string) => `${name} \\(${snaps}\\) ${TIME}\n`;
  assertMatch(
    await store.ok("snapshot", "-n", "web", "-L"),
    new RegExp(`^${line("snap0")}${line("snap1")}$`),
  );
  assertMatch(
    await store.ok("snapshot", "-n", "web", "-L", "-C"),
    new RegExp(`^${line("snap0")}${line("snap1")}before the change\n$`),
  );
  assertEquals(store.names("web/snaps/snap1"), ["comment", "config", "rootfs", "ts"]);
  assertMatch(store.read("web/snaps/snap1/ts"), new RegExp(`^${TIME}$`));
  const kept = (key: string) => store.setting("web/snaps/snap0", key);
  assertEquals(kept("lxc.uts.name"), "www");
  assertEquals(kept("lxc.net.0.hwaddr"), "00:16:3e:11:22:33");
  assertEquals(kept("lxc.rootfs.path"), `dir:${snaps}/snap0/rootfs`);
  assertEquals(store.read("web/snaps/snap0/rootfs/etc/hostname"), "old\n");
});

Deno.test("a container is brought back, and keeps its states", async () => {
  await using store = new Store();
  await store.make("web");
  await store.ok("snapshot", "-n", "web");
  Deno.writeTextFileSync(`${store.path}/web/rootfs/etc/file`, "changed\n");
  Deno.writeTextFileSync(`${store.path}/web/rootfs/new`, "new\n");
  Deno.writeTextFileSync(`${store.path}/web/config`, "lxc.tty.max = 7\n", { append: true });
  await store.ok("snapshot", "-n", "web", "-r", "snap0");
  assertEquals(store.names("web"), ["config", "rootfs", "snaps"]);
  assertEquals(store.names("web/rootfs"), ["bin", "etc"]);
  assertEquals(store.read("web/rootfs/etc/file"), "text\n");
  assertEquals(store.setting("web", "lxc.tty.max"), "2");
  assertEquals(store.setting("web", "lxc.rootfs.path"), `dir:${store.path}/web/rootfs`);
  assertEquals(store.names("web/snaps"), ["snap0"]);
});

// LXC gives it other addresses.
Deno.test("what is brought back has its name and addresses again", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  await store.make("web", "lxc.uts.name = www", "lxc.net.0.hwaddr = 00:16:3e:11:22:33");
  await store.ok("snapshot", "-n", "web");
  await store.ok("snapshot", "-n", "web", "-r", "snap0");
  assertEquals(store.setting("web", "lxc.uts.name"), "www");
  assertEquals(store.setting("web", "lxc.net.0.hwaddr"), "00:16:3e:11:22:33");
  assertEquals(store.read("web/rootfs/etc/hostname"), "old\n");
});

Deno.test("another container is made of a state", async () => {
  await using store = new Store();
  await store.make("web");
  await store.ok("snapshot", "-n", "web");
  await store.ok("snapshot", "-n", "web", "-r", "snap0", "-N", "other");
  assertEquals(store.names("other"), ["config", "rootfs"]);
  assertEquals(store.setting("other", "lxc.rootfs.path"), `dir:${store.path}/other/rootfs`);
  assertEquals(store.setting("other", "lxc.uts.name"), "other");
  assertEquals(store.read("other/rootfs/etc/hostname"), "other");
  assertEquals(store.read("other/rootfs/etc/file"), "text\n");
});

Deno.test("states are removed, one or all, and a container with states stays", async () => {
  await using store = new Store();
  await store.make("web");
  for (let at = 0; at < 3; at++) await store.ok("snapshot", "-n", "web");
  await store.ok("snapshot", "-n", "web", "-d", "snap1");
  assertEquals(store.names("web/snaps"), ["snap0", "snap2"]);
  await store.ok("snapshot", "-n", "web");
  assertEquals(store.names("web/snaps"), ["snap0", "snap1", "snap2"]);
  const destroyed = await store.run("destroy", "-n", "web");
  assertEquals([destroyed.code, store.names()], [1, ["web"]]);
  if (!IS_LXC) {
    const text = 'runts: destroy "web": the container has snapshots: use --snapshots\n';
    assertEquals(destroyed.stderr, text);
  }
  await store.ok("snapshot", "-n", "web", "-d", "ALL");
  assertEquals(await store.ok("snapshot", "-n", "web", "-L"), "No snapshots\n");
  await store.ok("snapshot", "-n", "web");
  await store.ok("destroy", "-n", "web", "-s");
  assertEquals(store.names(), []);
});

Deno.test("the state of an overlay is one on the same lower directory", async () => {
  await using store = new Store();
  await store.make("web");
  await store.ok("copy", "-n", "web", "-N", "c", "-s");
  Deno.writeTextFileSync(`${store.path}/c/overlay/delta/new`, "new\n");
  await store.ok("snapshot", "-n", "c");
  const [lower, snap] = [`${store.path}/web/rootfs`, `${store.path}/c/snaps/snap0`];
  const path = store.setting("c/snaps/snap0", "lxc.rootfs.path");
  assertEquals(path, `overlay:${lower}:${snap}/overlay/delta`);
  assertEquals(store.read("c/snaps/snap0/overlay/delta/new"), "new\n");
  assertEquals(store.read("web/lxc_snapshots").includes(`${store.path}/c/snaps\nsnap0\n`), true);
  Deno.writeTextFileSync(`${store.path}/c/overlay/delta/new`, "changed\n");
  await store.ok("snapshot", "-n", "c", "-r", "snap0");
  assertEquals(store.read("c/overlay/delta/new"), "new\n");
  const own = store.setting("c", "lxc.rootfs.path");
  assertEquals(own, `overlay:${lower}:${store.path}/c/overlay/delta`);
  await store.ok("destroy", "-n", "c", "-s");
  await store.ok("destroy", "-n", "web");
  assertEquals(store.names(), []);
});

// LXC prints other words, or none.
Deno.test("what cannot be kept or brought back is told in words", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  await store.make("web");
  await store.ok("snapshot", "-n", "web");
  const nowhere = `${store.beside}/nowhere`;
  const cases: [args: string[], message: string][] = [
    [
      ["-n", "none"],
      `snapshot "none": container "none" does not exist: there is no file ${store.path}/none/config`,
    ],
    [
      ["-n", "web", "-r", "snap1"],
      'snapshot "web": the container has no snapshot "snap1": did you mean "snap0"?',
    ],
    [["-n", "web", "-d", "other"], 'snapshot "web": the container has no snapshot "other"'],
    [
      ["-n", "web", "-c", nowhere],
      `snapshot "web": read "${nowhere}": ENOENT (no such file or directory)`,
    ],
    [
      ["-n", "web", "-L", "-r", "snap0"],
      "lxc snapshot: only one of --list, --restore and --destroy can be given",
    ],
    [
      ["-n", "web", "-r", "snap0", "-N", "a/b"],
      'snapshot "web": "a/b" is not the name of a container',
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await store.run("snapshot", ...args);
    assertEquals({ code, stdout, stderr }, { code: 1, stdout: "", stderr: `runts: ${message}\n` });
    assertEquals(store.names("web/snaps"), ["snap0"]);
  }
});

Deno.test("a container that cannot be brought back is what it was", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  await store.make("web");
  await store.ok("snapshot", "-n", "web");
  Deno.writeTextFileSync(`${store.path}/web/rootfs/etc/file`, "changed\n");
  const kept = `${store.path}/web/snaps/snap0/config`;
  Deno.writeTextFileSync(kept, "lxc.hook.clone = false\n", { append: true });
  const { code, stderr } = await store.run("snapshot", "-n", "web", "-r", "snap0");
  assertEquals(code, 1);
  assertMatch(stderr, /^runts: snapshot "web": .*hook "false": exit status 1\n$/);
  assertEquals(store.read("web/rootfs/etc/file"), "changed\n");
  assertEquals(store.setting("web", "lxc.hook.clone"), undefined);
  assertEquals(store.names("web"), ["config", "rootfs", "snaps"]);
});

Deno.test("a container that runs is not kept", WITH_TEMPLATES, async () => {
  await using store = new Store();
  await store.ok("create", "-n", "web", "-t", "busybox", "-f", `${store.beside}/config`);
  await store.ok("start", "-n", "web");
  const { code } = await store.run("snapshot", "-n", "web");
  assertEquals(code, 1);
  await store.ok("stop", "-n", "web", "-k");
});

// LXC prints other words, and leaves what it has copied.
Deno.test(
  "a disk that fills leaves a container and its states as they were",
  RUNTS_LXC_ONLY,
  async () => {
    await using store = new Store();
    await command(["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", store.path]);
    try {
      await store.make("web");
      await store.ok("snapshot", "-n", "web");
      const etc = `${store.path}/web/rootfs/etc`;
      Deno.writeTextFileSync(`${etc}/file`, "changed\n");
      Deno.writeFileSync(`${etc}/big`, new Uint8Array(1200 << 10).fill(1));
      const kept = await store.run("snapshot", "-n", "web");
      assertEquals([kept.code, kept.stderr, store.names("web/snaps")], [
        1,
        `runts: snapshot "web": write "${store.path}/web/snaps/snap1/rootfs/etc/big": ENOSPC (no space left on device)\n`,
        ["snap0"],
      ]);
      // What is kept is too much to be copied beside what there is.
      Deno.removeSync(`${etc}/big`);
      const snapshot = `${store.path}/web/snaps/snap0/rootfs/etc/big`;
      Deno.writeFileSync(snapshot, new Uint8Array(1200 << 10).fill(1));
      const back = await store.run("snapshot", "-n", "web", "-r", "snap0");
      assertEquals([back.code, back.stderr, store.names("web")], [
        1,
        `runts: snapshot "web": write "${store.path}/web/restore/rootfs/etc/big": ENOSPC (no space left on device)\n`,
        ["config", "rootfs", "snaps"],
      ]);
      assertEquals(store.read("web/rootfs/etc/file"), "changed\n");
    } finally {
      await command(["umount", store.path]);
    }
  },
);
