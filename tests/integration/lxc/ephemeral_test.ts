/** copy -e: copies that are started, and go when they have stopped. */

import { assertEquals, assertMatch } from "@std/assert";
import { IS_LXC } from "../../support/lxc.ts";
import { RUNTS_WITH_TEMPLATES, Store, WITH_TEMPLATES } from "../../support/lxc_store.ts";
import { until } from "../../support/runtime.ts";

/** A store with a busybox. */
async function busybox(): Promise<Store> {
  const store = new Store();
  await store.ok("create", "-n", "web", "-t", "busybox", "-f", `${store.beside}/config`);
  return store;
}

const inside = (store: Store, name: string, script: string) =>
  store.ok("attach", "-n", name, "--", "/bin/sh", "-c", script);

const state = async (store: Store, name: string) =>
  (await store.run("info", "-n", name, "-sH")).stdout.trim();

Deno.test(
  "a copy for one life is started, and goes with what was written",
  WITH_TEMPLATES,
  async () => {
    await using store = await busybox();
    const made = await store.ok("copy", "-n", "web", "-e");
    assertMatch(made, /^Created web_\w{6} as clone of web\n$/);
    const name = made.split(" ")[1]!;
    assertEquals(await state(store, name), "RUNNING");
    assertEquals(store.setting(name, "lxc.ephemeral"), "1");
    assertEquals(await inside(store, name, "echo text > /file; hostname"), `${name}\n`);
    assertEquals(store.read(`${name}/overlay/delta/file`), "text\n");
    await store.ok("stop", "-n", name, "-k");
    await until("it is gone", () => !store.names().includes(name));
    assertEquals(store.names("web/rootfs").includes("file"), false);
    if (!IS_LXC) await store.ok("destroy", "-n", "web");
  },
);

Deno.test("-D keeps it", WITH_TEMPLATES, async () => {
  await using store = await busybox();
  await store.ok("copy", "-n", "web", "-N", "kept", "-e", "-D");
  assertEquals(store.setting("kept", "lxc.ephemeral"), undefined);
  await store.ok("stop", "-n", "kept", "-k");
  assertEquals(store.names(), ["kept", "web"]);
});

Deno.test("-m binds directories, and lays overlays over some", WITH_TEMPLATES, async () => {
  await using store = await busybox();
  const data = `${store.beside}/data`;
  Deno.mkdirSync(data);
  Deno.writeTextFileSync(`${data}/file`, "text\n");
  await store.ok(
    ...["copy", "-n", "web", "-N", "x", "-e"] as const,
    ...["-m", `bind=${data}:/mnt,bind=${data}:/ro:ro,overlay=${data}:/over`],
  );
  const script = "cat /mnt/file /ro/file /over/file; echo a > /mnt/bound; echo b > /over/laid; " +
    "touch /ro/x 2>/dev/null || echo no";
  assertEquals(await inside(store, "x", script), "text\ntext\ntext\nno\n");
  assertEquals(Array.from(Deno.readDirSync(data), ({ name }) => name).toSorted(), [
    ...["bound", "file"],
  ]);
  await store.ok("stop", "-n", "x", "-k");
  await until("it is gone", () => !store.names().includes("x"));
});

Deno.test("-t keeps its changes in memory", WITH_TEMPLATES, async () => {
  await using store = await busybox();
  const { code, stderr } = await store.run("copy", "-n", "web", "-N", "x", "-e", "-t");
  assertEquals([code, IS_LXC ? "" : stderr], [0, ""]);
  assertEquals(await state(store, "x"), "RUNNING");
  await inside(store, "x", "echo text > /file");
  assertEquals(store.names("x/overlay/delta").includes("file"), false);
  await store.ok("stop", "-n", "x", "-k");
  await until("it is gone", () => !store.names().includes("x"));
});

// LXC prints other words.
Deno.test("one that cannot be started is not left over", RUNTS_WITH_TEMPLATES, async () => {
  await using store = await busybox();
  Deno.writeTextFileSync(`${store.path}/web/config`, "lxc.init.cmd = /none\n", { append: true });
  const { code, stdout, stderr } = await store.run("copy", "-n", "web", "-N", "x", "-e");
  assertEquals([code, stdout], [1, "Created x as clone of web\n"]);
  assertMatch(
    stderr,
    /^runts: start "x": .*exec: "\/none": stat \/none: no such file or directory\n$/,
  );
  assertEquals(store.names(), ["web"]);
  const wrong = await store.run("copy", "-n", "web", "-e", "-m", "bindd=/a");
  assertEquals(
    wrong.stderr,
    'runts: lxc copy: "bindd=/a" is not a mount: as bind=/source:/target:ro or ' +
      "overlay=/source:/target\n",
  );
  const whole = await store.run("copy", "-n", "web", "-e", "-B", "dir");
  assertEquals(
    whole.stderr,
    "runts: lxc copy: what --ephemeral makes is an overlay: leave -B away\n",
  );
  assertEquals(store.names(), ["web"]);
});
