/** destroy: what goes, what keeps a container from going, and hooks. */

import { assertEquals, assertMatch } from "@std/assert";
import { exists } from "../../support/look.ts";
import { IS_LXC, lxcLine, RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Store, WITH_TEMPLATES } from "../../support/lxc_store.ts";
import { command, until } from "../../support/runtime.ts";

Deno.test("a container goes with all that is in its directory; its hooks run before", async () => {
  await using store = new Store();
  const hook = store.template(
    "hook",
    `#!/bin/sh\necho "$@" $LXC_NAME > ${store.beside}/seen; ls ${store.path}/web >> ${store.beside}/seen\n`,
  );
  await store.make("web", `lxc.hook.destroy = ${hook} extra`);
  Deno.writeTextFileSync(`${store.path}/web/other`, "");
  await store.ok("destroy", "-n", "web");
  assertEquals(store.names(), []);
  const seen = Deno.readTextFileSync(`${store.beside}/seen`);
  assertEquals(seen, "extra web lxc destroy web\nconfig\nother\nrootfs\n");
});

Deno.test(
  "what a killed command has left of a container can be removed",
  RUNTS_LXC_ONLY,
  async () => {
    await using store = new Store();
    await store.make("web");
    const etc = `${store.path}/web/rootfs/etc`;
    for (let at = 0; at < 3000; at++) Deno.writeTextFileSync(`${etc}/${at}`, "");
    const [program, ...args] = lxcLine("destroy", ["-P", store.path, "-n", "web"]);
    const child = new Deno.Command(program!, { args, stderr: "null" }).spawn();
    await until("it has begun", () => !exists(etc) || store.names("web/rootfs/etc").length < 3000);
    child.kill("SIGKILL");
    await child.status;
    // It may have been quicker.
    if (exists(`${store.path}/web`)) await store.ok("destroy", "-n", "web");
    assertEquals(store.names(), []);
  },
);

Deno.test("a container that runs goes with --force alone", WITH_TEMPLATES, async () => {
  await using store = new Store();
  await store.ok("create", "-n", "web", "-t", "busybox", "-f", `${store.beside}/config`);
  await store.ok("start", "-n", "web");
  const { code, stderr } = await store.run("destroy", "-n", "web");
  assertEquals(code, 1);
  if (!IS_LXC) {
    const text = 'runts: destroy "web": the container runs: stop it, or use --force\n';
    assertEquals(stderr, text);
  }
  assertEquals((await store.ok("info", "-n", "web", "-sH")).trim(), "RUNNING");
  const { code: forced } = await store.run("destroy", "-n", "web", "-f");
  assertEquals([forced, store.names()], [0, []]);
});

Deno.test("one that is not there is an error", async () => {
  await using store = new Store();
  const { code, stderr } = await store.run("destroy", "-n", "web");
  assertEquals(code, 1);
  if (!IS_LXC) assertEquals(stderr, 'runts: destroy "web": container "web" does not exist\n');
});

// LXC removes nothing, and says nothing.
Deno.test("lxc.rootfs.managed = 0 keeps the root filesystem", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  const root = `${store.beside}/root`;
  Deno.mkdirSync(root);
  const config = store.file("c", `lxc.rootfs.path = dir:${root}\nlxc.rootfs.managed = 0\n`);
  await store.ok("create", "-n", "web", "-t", "none", "-f", config);
  await store.ok("destroy", "-n", "web");
  assertEquals([store.names(), Deno.statSync(root).isDirectory], [[], true]);
  await store.make("own", "lxc.rootfs.managed = 0");
  await store.ok("destroy", "-n", "own");
  assertEquals([store.names("own"), store.read("own/rootfs/etc/file")], [["rootfs"], "text\n"]);
});

// LXC removes what is mounted there.
Deno.test("what is mounted in it stays, and so does the container", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  await store.make("web");
  const [source, target] = [`${store.beside}/data`, `${store.path}/web/rootfs/data`];
  Deno.mkdirSync(source);
  Deno.mkdirSync(target);
  Deno.writeTextFileSync(`${source}/file`, "text");
  await command(["mount", "--bind", source, target]);
  try {
    const { code, stderr } = await store.run("destroy", "-n", "web");
    assertEquals([code, stderr], [
      1,
      `runts: destroy "web": something is mounted at "${target}": unmount it\n`,
    ]);
    assertEquals(Deno.readTextFileSync(`${source}/file`), "text");
    assertEquals(store.names("web"), ["config", "rootfs"]);
  } finally {
    await command(["umount", target]);
  }
  await store.ok("destroy", "-n", "web");
});

// LXC removes it.
Deno.test("a root filesystem that others have, too, is not removed", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  for (const path of ["/", store.path]) {
    const config = store.file("c", `lxc.rootfs.path = dir:${path}\n`);
    await store.ok("create", "-n", "web", "-t", "none", "-f", config);
    const { code, stderr } = await store.run("destroy", "-n", "web");
    assertEquals([code, stderr], [
      1,
      `runts: destroy "web": the root filesystem "${path}" is not the container's alone: set ` +
      "lxc.rootfs.managed = 0\n",
    ]);
    assertEquals(store.names(), ["web"]);
    Deno.removeSync(`${store.path}/web`, { recursive: true });
  }
});

Deno.test("a configuration that is not sound is no hindrance", async () => {
  await using store = new Store();
  await store.make("web");
  Deno.writeTextFileSync(`${store.path}/web/config`, "lxc.net.0.flags = down\n", { append: true });
  const { code } = await store.run("destroy", "-n", "web");
  assertEquals([code, store.names()], [0, []]);
});

Deno.test("a hook that fails is told, and the container goes", RUNTS_LXC_ONLY, async () => {
  await using store = new Store();
  await store.make("web", "lxc.hook.destroy = false");
  const { code, stderr } = await store.run("destroy", "-n", "web");
  assertEquals([code, store.names()], [0, []]);
  assertMatch(stderr, /^runts: warning: .*hook "false": exit status 1\n$/);
});
