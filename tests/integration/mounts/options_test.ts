/** The table of mount options: what /proc/self/mountinfo says inside. */

import { assertEquals, assertMatch } from "@std/assert";
import { MOUNT_OPTIONS } from "../../../lib/spec/values/mount_options.ts";
import { withRuntime } from "../../support/host.ts";
import { mountsOf, refused } from "../../support/inside.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";

/** Options of a tmpfs, what its mount then shows, and what its filesystem shows beside `rw`. */
const FILESYSTEM: [options: string[], mount: string, superblock?: string][] = [
  [[], "rw,relatime"],
  [["defaults"], "rw,relatime"],
  [["ro"], "ro,relatime"],
  [["ro", "rw"], "rw,relatime"],
  [["nosuid"], "rw,nosuid,relatime"],
  [["nosuid", "suid"], "rw,relatime"],
  [["nodev"], "rw,nodev,relatime"],
  [["nodev", "dev"], "rw,relatime"],
  [["noexec"], "rw,noexec,relatime"],
  [["noexec", "exec"], "rw,relatime"],
  [["noatime"], "rw,noatime"],
  [["noatime", "atime"], "rw,relatime"],
  [["noatime", "relatime"], "rw,relatime"],
  [["norelatime"], "rw,relatime"],
  [["strictatime"], "rw"],
  [["strictatime", "nostrictatime"], "rw,relatime"],
  [["nodiratime"], "rw,nodiratime,relatime"],
  [["nodiratime", "diratime"], "rw,relatime"],
  [["nosymfollow"], "rw,relatime,nosymfollow"],
  [["nosymfollow", "symfollow"], "rw,relatime"],
  [["iversion", "noiversion", "silent", "loud"], "rw,relatime"],
  [["mand", "nomand"], "rw,relatime"],
  [["sync"], "rw,relatime", "sync"],
  [["sync", "async"], "rw,relatime"],
  [["rsync"], "rw,relatime", "sync"],
  [["rsync", "rasync"], "rw,relatime"],
  [["rdirsync"], "rw,relatime", "dirsync"],
  [["rmand", "rnomand"], "rw,relatime"],
  [["dirsync"], "rw,relatime", "dirsync"],
  [["lazytime"], "rw,relatime", "lazytime"],
  [["lazytime", "nolazytime"], "rw,relatime"],
  [["size=8k", "mode=711"], "rw,relatime", "size=8k,mode=711"],
];

/**
 * What the peers of these versions refuse, hand to the filesystem or leave without effect. Nor do
 * their options always replace those before.
 */
const UNKNOWN: Record<typeof PEER, readonly string[]> = {
  runts: [],
  runc: "defaults nosymfollow lazytime nolazytime loud norelatime rsync rdirsync rmand".split(" "),
  crun: "nosymfollow lazytime loud rsync rdirsync rmand".split(" "),
};

Deno.test("a new filesystem has the options that are asked for", async () => {
  const rows = FILESYSTEM.filter(([options]) =>
    PEER === "runts" || options.length < 2 && !UNKNOWN[PEER].includes(options.join())
  );
  await withRuntime(async (runtime) => {
    const mounts = await mountsOf(runtime, (config) => {
      for (const [index, [options]] of rows.entries()) {
        config.mounts.push({ destination: `/m/${index}`, type: "tmpfs", source: "t", options });
      }
    });
    for (const [index, [options, attributes, superblock]] of rows.entries()) {
      const mount = mounts.get(`/m/${index}`)!;
      assertEquals(mount.attributes.join(), attributes, options.join());
      const shown = mount.filesystem.filter((item) => !/^(rw|ro|inode64|mode=755)$/.test(item));
      assertEquals(shown.join(), superblock ?? "", options.join());
    }
  });
});

/**
 * A mount with everything set, and what a bind of it with these options shows: what is named, and as
 * soon as a flag is, nothing else but the access times.
 */
const NAMED: [options: string[], shown: string][] = [
  [["bind"], "ro,nosuid,nodev,noexec,noatime,nodiratime"],
  [["rbind"], "ro,nosuid,nodev,noexec,noatime,nodiratime"],
  [["bind", "defaults"], "ro,nosuid,nodev,noexec,noatime,nodiratime"],
  [["bind", "rprivate"], "ro,nosuid,nodev,noexec,noatime,nodiratime"],
  [["bind", "ro"], "ro,noatime,nodiratime"],
  [["rbind", "ro"], "ro,noatime,nodiratime"],
  [["bind", "nosuid"], "rw,nosuid,noatime,nodiratime"],
  [["bind", "nodev", "noexec"], "rw,nodev,noexec,noatime,nodiratime"],
  [["bind", "sync"], "rw,noatime,nodiratime"],
  [["bind", "noatime"], "rw,noatime"],
  [["bind", "nodiratime"], "rw,nodiratime,relatime"],
  [["bind", "ro", "nodiratime"], "ro,nodiratime,relatime"],
  [["bind", "relatime"], "rw,relatime"],
  [["bind", "strictatime"], "rw"],
];
const NAMED_RECURSIVELY: typeof NAMED = [
  [["bind", "rro"], "ro,nosuid,nodev,noexec,noatime,nodiratime"],
  [["bind", "rrw"], "rw,nosuid,nodev,noexec,noatime,nodiratime"],
  [["bind", "rsuid"], "ro,nodev,noexec,noatime,nodiratime"],
  [["bind", "ro", "rnosuid"], "ro,nosuid,noatime,nodiratime"],
  [["bind", "rnoatime"], "ro,nosuid,nodev,noexec,noatime,nodiratime"],
];
/** A cleared flag is a named one, as with runc since 1.2; runc 1.1 passes over it where it is alone. */
const CLEARED: typeof NAMED = [
  [["bind", "rw"], "rw,noatime,nodiratime"],
  [["bind", "suid"], "rw,noatime,nodiratime"],
  [["bind", "dev"], "rw,noatime,nodiratime"],
  [["bind", "exec", "ro"], "ro,noatime,nodiratime"],
  [["bind", "diratime"], "rw,noatime"],
  [["bind", "atime"], "rw,nodiratime,relatime"],
  [["bind", "norelatime"], "rw,noatime,nodiratime"],
  [["bind", "nosymfollow"], "rw,noatime,nodiratime,nosymfollow"],
  [["bind", "noatime", "rnosuid", "rnoatime"], "rw,nosuid,noatime,nodiratime"],
  [["bind", "rnoatime", "ro"], "ro,noatime,nodiratime"],
  [["bind", "rstrictatime", "nodev"], "rw,nodev,nodiratime"],
];

const BINDS = [...NAMED, ...NAMED_RECURSIVELY, ...CLEARED];

Deno.test({
  name: "a bind mount has the flags that are named",
  ignore: PEER === "crun", // 1.8 keeps none where none is named, and other access times
  fn: namedFlags,
});

async function namedFlags(): Promise<void> {
  const rows = PEER === "runts" ? BINDS : [...NAMED, ...NAMED_RECURSIVELY];
  await withRuntime(async (runtime) => {
    const mounts = await mountsOf(runtime, (config, bundle) => {
      const options = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"];
      config.mounts.push({ destination: "/a", type: "bind", source: "/bin", options });
      config.mounts.at(-1).options.push("bind");
      for (const [index, [options]] of rows.entries()) {
        const source = `${bundle.rootfs}/a`;
        config.mounts.push({ destination: `/m/${index}`, type: "none", source, options });
      }
    });
    for (const [index, [options, shown]] of rows.entries()) {
      assertEquals(mounts.get(`/m/${index}`)!.attributes.join(), shown, options.join());
    }
  });
}

/** Options of a recursive bind mount, and what it and the mount below it then show. */
const RECURSIVE: [options: string[], top: string, below: string][] = [
  [[], "rw,relatime", "rw,nosuid,noatime"],
  [["ro"], "ro,relatime", "rw,nosuid,noatime"],
  [["rro"], "ro,relatime", "ro,nosuid,noatime"],
  [["rro", "rw"], "rw,relatime", "ro,nosuid,noatime"],
  [["rro", "rrw"], "rw,relatime", "rw,nosuid,noatime"],
  [["rnosuid"], "rw,nosuid,relatime", "rw,nosuid,noatime"],
  [["rsuid"], "rw,relatime", "rw,noatime"],
  [["rnodev"], "rw,nodev,relatime", "rw,nosuid,nodev,noatime"],
  [["rnodev", "rdev"], "rw,relatime", "rw,nosuid,noatime"],
  [["rnoexec"], "rw,noexec,relatime", "rw,nosuid,noexec,noatime"],
  [["rnoexec", "rexec"], "rw,relatime", "rw,nosuid,noatime"],
  [["rnodiratime"], "rw,nodiratime,relatime", "rw,nosuid,noatime,nodiratime"],
  [["rnodiratime", "rdiratime"], "rw,relatime", "rw,nosuid,noatime"],
  [["rnoatime"], "rw,noatime", "rw,nosuid,noatime"],
  [["ratime"], "rw,relatime", "rw,nosuid,relatime"],
  [["rrelatime"], "rw,relatime", "rw,nosuid,relatime"],
  [["rnorelatime"], "rw,relatime", "rw,nosuid,noatime"],
  [["rstrictatime", "rnostrictatime"], "rw,relatime", "rw,nosuid,relatime"],
  [["rstrictatime"], "rw", "rw,nosuid"],
  [["rnosymfollow"], "rw,relatime,nosymfollow", "rw,nosuid,noatime,nosymfollow"],
  [["rnosymfollow", "rsymfollow"], "rw,relatime", "rw,nosuid,noatime"],
];

Deno.test({
  name: "recursive attributes reach the mounts below",
  ...RUNTS_ONLY, // the peers clear what a plain option does not name, or know only some
  fn: () =>
    withRuntime(async (runtime) => {
      const mounts = await mountsOf(runtime, (config, bundle) => {
        const tmpfs = { type: "tmpfs", source: "tmpfs" };
        config.mounts.push({ destination: "/a", ...tmpfs });
        config.mounts.push({ destination: "/a/b", ...tmpfs, options: ["nosuid", "noatime"] });
        const source = `${bundle.rootfs}/a`;
        for (const [index, [options]] of RECURSIVE.entries()) {
          const all = ["rbind", ...options];
          config.mounts.push({ destination: `/m/${index}`, type: "none", source, options: all });
        }
      });
      for (const [index, [options, top, below]] of RECURSIVE.entries()) {
        assertEquals(mounts.get(`/m/${index}`)!.attributes.join(), top, options.join());
        assertEquals(mounts.get(`/m/${index}/b`)!.attributes.join(), below, options.join());
      }
    }),
});

/** Propagation of a mount of its own, of a recursive bind, and of what is mounted below. */
const PROPAGATION: [options: string[], top: string, below: string][] = [
  [["shared"], "shared", ""],
  [["rshared"], "shared", "shared"],
  [["shared", "slave"], "master", ""],
  [["rshared", "rslave"], "master", "master"],
  [["rshared", "private"], "", "shared"],
  [["rshared", "rprivate"], "", ""],
  [["unbindable"], "unbindable", ""],
  [["runbindable"], "unbindable", "unbindable"],
];

Deno.test({
  name: "propagation options are applied in their order",
  ignore: PEER === "crun", // 1.8 hands all of them to the kernel at once
  fn: propagationInOrder,
});

async function propagationInOrder(): Promise<void> {
  // A second slave of what was shared a moment ago is private, as its group has gone.
  const alone = (shown: string) => shown === "master" ? "" : shown;
  await withRuntime(async (runtime) => {
    const mounts = await mountsOf(runtime, (config, bundle) => {
      const tmpfs = { type: "tmpfs", source: "tmpfs", options: ["private"] };
      config.mounts.push({ destination: "/a", ...tmpfs }, { destination: "/a/b", ...tmpfs });
      const source = `${bundle.rootfs}/a`;
      for (const [index, [options]] of PROPAGATION.entries()) {
        const all = ["rbind", ...options];
        config.mounts.push({ destination: `/m/${index}`, type: "none", source, options: all });
      }
    });
    for (const [index, [options, top, below]] of PROPAGATION.entries()) {
      const shown = [`/m/${index}`, `/m/${index}/b`].map((path) =>
        mounts.get(path)!.propagation.join()
      );
      assertEquals(shown, [alone(top), alone(below)], options.join());
    }
  });
}

Deno.test("every option of the table is tried", () => {
  const tried = new Set(
    [FILESYSTEM, BINDS, RECURSIVE, PROPAGATION].flat().flatMap(([o]) => o),
  );
  // These make other mounts than their like, which mounts_test.ts looks at.
  for (const name of ["remount", "tmpcopyup", "idmap", "ridmap"]) tried.add(name);
  for (const name of ["copy-symlink", "dest-nofollow", "src-nofollow"]) tried.add(name);
  assertEquals(Object.keys(MOUNT_OPTIONS).filter((name) => !tried.has(name)), []);
});

refused(
  "a parameter that the filesystem does not know",
  (config) =>
    config.mounts.push({ destination: "/x", type: "tmpfs", source: "t", options: ["nonsense=1"] }),
  'mounts[6]: mount "tmpfs" on "/x": tmpfs: Unknown parameter \'nonsense\': ' +
    "EINVAL (invalid argument)",
);

for (const type of ["cgroup", "cgroup2"]) {
  Deno.test({
    name: `a parameter that a filesystem of type ${type} does not know is an error`,
    ...RUNTS_ONLY, // runc 1.1.5 and crun 1.8 leave it out on version 1
    fn: () =>
      withRuntime(async (runtime) => {
        const { code, stderr } = await runtime.container((config) => {
          config.linux.namespaces.push({ type: "cgroup" });
          const destination = "/sys/fs/cgroup";
          config.mounts.push({ destination, type, source: type, options: ["nonsense=1"] });
        });
        assertEquals(code, 1);
        assertMatch(
          stderr,
          /^runts: run "\S+": mounts\[6\]: mount "cgroup2?" on "\/sys\/fs\/cgroup(\/\S+)?": cgroup2?: Unknown (parameter|subsys name) 'nonsense': EINVAL \(invalid argument\)\n$/,
        );
      }),
  });
}

refused(
  "a label for mounts where SELinux is off",
  (config) => config.linux.mountLabel = "system_u:object_r:container_file_t:s0:c1,c2",
  'mounts[1]: mount "tmpfs" on "/dev": tmpfs: Unknown parameter \'context\': EINVAL (invalid ' +
    "argument): SELinux is off on this host: remove linux.mountLabel, or the option",
);
