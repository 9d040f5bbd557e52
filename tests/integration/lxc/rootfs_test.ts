/** Where a root filesystem comes from, and how it is mounted. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { exists } from "../../support/look.ts";

/** A path as a word of a line. */
function below(systems: Systems, name: string): string {
  return `${systems.path}/${name}`;
}

const HIDE = 'rm() { busybox rm "$@"; }; ';

Deno.test("an overlay takes what is written, and leaves what lies below as it was", async () => {
  await using systems = new Systems();
  systems.add("layered", [
    `lxc.rootfs.path = overlay:${below(systems, "layered/rootfs")}:${below(systems, "layered/up")}`,
  ]);
  await systems.start("layered");
  assertMatch(
    await systems.inside("layered", "mount"),
    /^\S+\/layered\/rootfs on \/ type overlay \(rw,.*upperdir=\S+\/layered\/up,/,
  );
  await systems.inside("layered", `${HIDE}echo new >/etc/new; rm /etc/passwd; echo x >>/sbin/init`);
  assertEquals(Deno.readTextFileSync(below(systems, "layered/up/etc/new")), "new\n");
  const lower = systems.rootfs("layered");
  assertEquals(exists(`${lower}/etc/new`), false);
  assert(exists(`${lower}/etc/passwd`));
  await systems.ok("stop", "-n", "layered", "-k");
  await systems.start("layered");
  assertEquals(await systems.inside("layered", "cat /etc/new"), "new\n");
  assertEquals(await systems.inside("layered", "test -e /etc/passwd || echo gone"), "gone\n");
  assertEquals(systems.mountsOfHost(), []);
});

Deno.test("several layers are below one that is written", async () => {
  await using systems = new Systems();
  const [middle, upper] = [below(systems, "many/middle"), below(systems, "many/deep/up")];
  systems.add("many", [
    `lxc.rootfs.path = overlay:${middle}:${below(systems, "many/rootfs")}:${upper}`,
  ]);
  Deno.mkdirSync(`${middle}/etc`, { recursive: true });
  Deno.writeTextFileSync(`${middle}/etc/passwd`, "root:x:0:0:middle:/root:/bin/sh\n");
  await systems.start("many");
  assertMatch(await systems.inside("many", "cat /etc/passwd"), /middle/);
  assert(exists(below(systems, "many/deep/work")));
});

Deno.test("options of the root filesystem are those of its mount", async () => {
  await using systems = new Systems();
  systems.add("optional", ["lxc.rootfs.options = nosuid,nodev,noatime"]);
  systems.add("closed", ["lxc.rootfs.options = ro,nosuid"]);
  await systems.start("optional");
  await systems.start("closed");
  const root = async (name: string) =>
    (await systems.inside(name, "mount")).split("\n").find((line) => line.includes(" on / "))!;
  assertMatch(await root("optional"), /\((?:rw,)?nosuid,nodev,noatime/);
  assertMatch(await root("closed"), /\(ro,nosuid/);
  const write = ["--", "/bin/sh", "-c", "echo x >/etc/new"];
  assertEquals((await systems.run("attach", "-n", "optional", ...write)).code, 0);
  assertEquals((await systems.run("attach", "-n", "closed", ...write)).code, 1);
});

Deno.test("lxc.rootfs.mount is where hooks find the root filesystem", async () => {
  await using systems = new Systems();
  const place = below(systems, "place");
  Deno.mkdirSync(place);
  const hook = below(systems, "hook");
  Deno.writeTextFileSync(
    hook,
    `#!/bin/sh\necho "$LXC_ROOTFS_MOUNT" >${below(systems, "told")}\n` +
      'cat "$LXC_ROOTFS_MOUNT/etc/passwd" >>' + below(systems, "told") + "\n",
    { mode: 0o755 },
  );
  systems.add("placed", [`lxc.rootfs.mount = ${place}`, `lxc.hook.mount = ${hook}`]);
  await systems.start("placed");
  const told = Deno.readTextFileSync(below(systems, "told"));
  assertEquals(told, `${place}\nroot:x:0:0:root:/root:/bin/sh\n`);
  assertEquals(Array.from(Deno.readDirSync(place)), []);
});

Deno.test("a place that is not there keeps the container from starting", async () => {
  await using systems = new Systems();
  systems.add("placeless", ["lxc.rootfs.mount = /nonexistent/place"]);
  assertEquals((await systems.run("start", "-n", "placeless")).code, 1);
  assertEquals(await systems.state("placeless"), "STOPPED");
});

Deno.test({
  name: "the ids of a root filesystem and of a mount are those of the container",
  ...RUNTS_LXC_ONLY, // LXC wants root to have lines in /etc/subuid and /etc/subgid
  async fn() {
    await using systems = new Systems();
    const shared = below(systems, "shared");
    Deno.mkdirSync(shared, { mode: 0o755 });
    Deno.chownSync(shared, 5, 6);
    systems.add("mapped", [
      "lxc.idmap = u 0 100000 65536",
      "lxc.idmap = g 0 100000 65536",
      "lxc.rootfs.options = idmap=container",
      `lxc.mount.entry = ${shared} srv none bind,create=dir,idmap=container 0 0`,
    ]);
    systems.open("mapped");
    await systems.start("mapped");
    assertEquals(
      await systems.inside("mapped", "stat -c '%u %g' /etc/passwd /srv; touch /etc/own"),
      "0 0\n5 6\n",
    );
    assertEquals(Deno.statSync(`${systems.rootfs("mapped")}/etc/own`).uid, 0);
  },
});

Deno.test({
  name: "a kind of root filesystem that is not mounted is refused in words",
  ...RUNTS_LXC_ONLY, // these words
  async fn() {
    await using systems = new Systems();
    systems.add("looped", ["lxc.rootfs.path = loop:/nonexistent.img"]);
    const { code, stderr } = await systems.run("start", "-n", "looped");
    const place = `${systems.path}/looped/config:8: lxc.rootfs.path: `;
    assertEquals([code, stderr.replace(/\+[\da-f]{8}/, "")], [
      1,
      `runts: start "looped": ${place}root filesystems of the kind loop are not mounted: ` +
      "mount it, and name the directory\n",
    ]);
  },
});
