/** Mounts and root filesystems of configurations. */

import { assertEquals } from "@std/assert";
import { faults, sound } from "../../support/lxc_plan.ts";

Deno.test("cgroups and shared directories are mounted after the listed mounts", async () => {
  const mounts = async (text: string) =>
    (await sound(`lxc.rootfs.path = /r\n${text}`)).spec.mounts!
      .filter(({ destination }) => !destination.startsWith("/dev"));
  const entry = "lxc.mount.entry = /a b none bind 0 0\n";
  assertEquals(
    (await mounts(`lxc.mount.auto = cgroup:ro:force shmounts:/s:/t\n${entry}`)).slice(1),
    [
      {
        destination: "/sys/fs/cgroup",
        type: "cgroup",
        source: "cgroup",
        options: ["nosuid", "nodev", "noexec", "ro"],
      },
      { destination: "/t", source: "/s", options: ["rbind", "rslave"] },
    ],
  );
  // With a cgroup namespace the container does it.
  assertEquals((await mounts("lxc.mount.auto = cgroup:rw")).length, 0);
  const kept = "lxc.mount.auto = cgroup2:rw\nlxc.namespace.keep = cgroup";
  assertEquals((await mounts(kept)).map(({ type }) => type), ["cgroup2"]);
});

Deno.test("a root filesystem is where the configuration wants it", async () => {
  const placed = await sound("lxc.rootfs.path = /r\nlxc.rootfs.mount = /mnt");
  assertEquals([placed.spec.root.path, placed.beyond.rootfs.mount], ["/mnt", "/mnt"]);
  const subvolume = await sound("lxc.rootfs.path = btrfs:/r");
  assertEquals([subvolume.spec.root.path, subvolume.beyond.rootfs.driver], ["/r", "dir"]);
});

Deno.test("ids are mapped by those of the container, or of a namespace by its path", async () => {
  assertEquals(await faults("lxc.rootfs.path = /r\nlxc.rootfs.options = idmap=container"), [
    "/c/config:2: lxc.rootfs.options: idmap=container needs lxc.idmap",
  ]);
  assertEquals(await faults("lxc.mount.entry = /a b none bind,idmap=x 0 0"), [
    '/c/config:1: lxc.mount.entry: idmap="x" is neither "container" nor the path of a user namespace',
  ]);
  assertEquals(
    await faults("lxc.rootfs.path = overlay:/a:/b\nlxc.rootfs.options = idmap=/proc/7/ns/user"),
    ["/c/config:2: lxc.rootfs.options: the kernel maps no ids of an overlay"],
  );
});
