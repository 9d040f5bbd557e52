/** Mounts: where they come from, where they go, and what is made for them. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import {
  type Edit,
  inside,
  linesOf,
  mountsOf,
  readMounts,
  refused,
  shell,
  userNamespace,
} from "../../support/inside.ts";
import { command, commandLine, PEER, RUNTS_ONLY } from "../../support/runtime.ts";

/** Adds a mount; those without a type are bind mounts. */
function add(config: Config, destination: string, source: string, ...options: string[]): Config {
  const type = options.some((option) => /bind/.test(option)) ? "none" : source;
  const mount = { destination, source, type, options };
  config.mounts.push(mount);
  return mount;
}

/** Files of the bundle beside the root filesystem. */
function volume(bundle: Bundle, name = "volume"): string {
  const path = `${bundle.path}/${name}`;
  Deno.mkdirSync(`${path}/below`, { recursive: true });
  Deno.writeTextFileSync(`${path}/file`, `text of ${name}\n`);
  return path;
}

inside("a bind source is relative to the bundle", (config, bundle) => {
  volume(bundle);
  add(config, "/v", "volume", "bind");
  shell(config, "cat /v/file");
}, ["text of volume"]);

inside(
  "a relative destination is one below the root",
  (config, bundle) => {
    volume(bundle);
    add(config, "v/w", "volume", "bind");
    shell(config, "cat /v/w/file");
  },
  ["text of volume"],
  { ignore: PEER === "runc" },
); // 1.1.5 warns of it

inside("mounts are made in the order of the list", (config, bundle) => {
  const [first, second] = ["first", "second"].map((name) => volume(bundle, name));
  add(config, "/v", first!, "bind");
  add(config, "/v", second!, "bind");
  add(config, "/v/below", first!, "bind");
  shell(config, "cat /v/file /v/below/file");
}, ["text of second", "text of first"]);

inside("a file is bound on a file, which is made where it is missing", (config, bundle) => {
  const file = `${volume(bundle)}/file`;
  add(config, "/etc/deep/er/file", file, "bind");
  add(config, "/etc/passwd", file, "bind");
  shell(config, "cat /etc/deep/er/file /etc/passwd; stat -c %F /etc/deep/er/file");
}, ["text of volume", "text of volume", "regular file"]);

Deno.test({
  name: "missing mount points are made with the modes 755 and 644, whatever the umask",
  ignore: PEER === "crun", // 1.8 makes directories sticky and files executable
  fn: mountPointModes,
});

async function mountPointModes(): Promise<void> {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.user.umask = 0o077);
    const path = volume(bundle);
    add(bundle.config, "/a/b/c", path, "bind");
    add(bundle.config, "/d/e/file", `${path}/file`, "bind");
    bundle.save();
    await runtime.ok(["run", "--bundle", bundle.path, runtime.id()]);
    const modes = ["a", "a/b", "a/b/c", "d", "d/e", "d/e/file"].map((name) => {
      const { mode, uid } = Deno.statSync(`${bundle.rootfs}/${name}`);
      return [name, (mode! & 0o7777).toString(8), uid];
    });
    assertEquals(modes, [
      ...[["a", "755", 0], ["a/b", "755", 0], ["a/b/c", "755", 0], ["d", "755", 0]],
      ...[["d/e", "755", 0], ["d/e/file", PEER === "runc" ? "755" : "644", 0]],
    ]);
  });
}

Deno.test("rbind brings the mounts below along, bind does not", async () => {
  await withRuntime(async (runtime) => {
    const mounts = await mountsOf(runtime, (config, bundle) => {
      add(config, "/a", "tmpfs");
      add(config, "/a/b", "tmpfs");
      add(config, "/one", `${bundle.rootfs}/a`, "bind");
      add(config, "/all", `${bundle.rootfs}/a`, "rbind");
    });
    assertEquals(
      ["/one", "/one/b", "/all", "/all/b"].map((path) => mounts.has(path)),
      [true, false, true, true],
    );
  });
});

Deno.test("remount changes what is mounted already", async () => {
  await withRuntime(async (runtime) => {
    const mounts = await mountsOf(runtime, (config, bundle) => {
      add(config, "/bound", volume(bundle), "bind");
      add(config, "/bound", "volume", "remount", "bind", "ro", "nosuid");
      add(config, "/own", "tmpfs", "size=8k");
      config.mounts.push({
        destination: "/own",
        type: "tmpfs",
        source: "tmpfs",
        options: ["remount", "ro", "size=16k"],
      });
    });
    const [bound, own] = [mounts.get("/bound")!, mounts.get("/own")!];
    assertEquals(bound.attributes.slice(0, 2), ["ro", "nosuid"]);
    assertEquals(own.attributes[0], "ro");
    assertStringIncludes(own.filesystem.join(), "size=16k");
  });
});

Deno.test({
  name: "inside a user namespace a bind mount keeps the flags that are locked",
  ignore: PEER === "runc", // 1.1.5 fails then
  fn: keepLocked,
});

async function keepLocked(): Promise<void> {
  await withRuntime(async ({ root, executable }) => {
    using bundle = new Bundle((config) => {
      userNamespace(config);
      add(config, "/mnt", "volume", "bind", "ro");
      config.process.args = ["cat", "/proc/self/mountinfo"];
    });
    Deno.mkdirSync(`${bundle.rootfs}/mnt`);
    const mount = `mount -t tmpfs -o nosuid,nodev,noexec t "${volume(bundle)}"; exec "$0" "$@"`;
    const args = ["--root", root, "run", "--bundle", bundle.path, "t-locked"];
    const { code, stdout, stderr } = await command([
      ...["unshare", "-m", "sh", "-c", mount],
      ...commandLine(executable, args),
    ]);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    const { attributes } = readMounts(stdout.trim().split("\n")).get("/mnt")!;
    assertEquals(attributes, ["ro", "nosuid", "nodev", "noexec", "relatime"]);
  });
}

inside("tmpcopyup fills a tmpfs with what the image has there", (config, bundle) => {
  bundle.put("etc/file", "of the image\n", 0o640);
  Deno.mkdirSync(`${bundle.rootfs}/etc/dir`);
  Deno.chmodSync(`${bundle.rootfs}/etc/dir`, 0o750);
  bundle.put("etc/dir/below", "below\n");
  Deno.symlinkSync("dir/below", `${bundle.rootfs}/etc/link`);
  add(config, "/etc", "tmpfs", "tmpcopyup");
  shell(config, "cd /etc; cat file link; stat -c '%n %a' file dir; readlink link; touch new; ls");
}, [
  ..."of the image|below|file 640|dir 750|dir/below|dir|file|link|new|passwd".split("|"),
]);

inside(
  "a tmpfs without a mode takes that of its mount point",
  (config, bundle) => {
    Deno.mkdirSync(`${bundle.rootfs}/cache`);
    Deno.chmodSync(`${bundle.rootfs}/cache`, 0o1711);
    add(config, "/cache", "tmpfs");
    add(config, "/tmp", "tmpfs", "mode=1777");
    add(config, "/fresh", "tmpfs");
    shell(config, "stat -c %a /cache /tmp /fresh");
  },
  ["1711", "1777", PEER === "runts" ? "1777" : "755"],
  RUNTS_ONLY,
);

const ESCAPES: [name: string, link: string, target: string, mount: string, seen: string][] = [
  ["an absolute symlink", "out", "/", "/out/made", "/made/file"],
  ["a symlink with ..", "out", "../../../../..", "/out/made", "/made/file"],
  ["a symlink to a missing place", "out", "/nowhere/else", "/out/made", "/nowhere/else/made/file"],
  ["a chain of symlinks", "out", "etc/../out2", "/out/made", "/root/made/file"],
];

for (const [name, link, target, destination, seen] of ESCAPES) {
  inside(
    `${name} on the way to a mount point stays inside`,
    (config, bundle) => {
      Deno.symlinkSync("/root", `${bundle.rootfs}/out2`);
      Deno.symlinkSync(target, `${bundle.rootfs}/${link}`);
      add(config, destination, volume(bundle), "bind");
      shell(config, `cat ${seen}`);
    },
    ["text of volume"],
    { ignore: PEER === "crun" && name.includes("missing") },
  ); // it gives up
}

inside("a symlink to a file of the host is not what a file is bound on", (config, bundle) => {
  const host = `${bundle.path}/host`;
  Deno.writeTextFileSync(host, "host\n");
  Deno.symlinkSync(host, `${bundle.rootfs}/etc/link`);
  add(config, "/etc/link", `${volume(bundle)}/file`, "bind");
  shell(config, `cat ${host}`);
}, ["text of volume"]);

for (const [name, type] of [["proc", "proc"], ["sys", "sysfs"]] as const) {
  refused(
    `a /${name} that is a symlink`,
    (_, bundle) => {
      Deno.removeSync(`${bundle.rootfs}/${name}`);
      Deno.symlinkSync("/tmp", `${bundle.rootfs}/${name}`);
    },
    {
      proc: 'mounts[0]: mount "proc" on "/proc": the mount point is a symlink, not a directory: ',
      sysfs: 'mounts[5]: mount "sysfs" on "/sys": the mount point is a symlink, not a directory: ',
    }[type] + "ENOTDIR (not a directory)",
  );
}

refused(
  "a directory that is to be bound on a file",
  (config, bundle) => {
    add(config, "/etc/passwd", volume(bundle), "bind");
  },
  'mounts[6]: bind "BUNDLE/volume" on "/etc/passwd": the source being a directory, ' +
    "the mount point a regular file: ENOTDIR (not a directory)",
);

refused(
  "a file that is to be bound on a directory",
  (config, bundle) => {
    add(config, "/etc", `${volume(bundle)}/file`, "bind");
  },
  'mounts[6]: bind "BUNDLE/volume/file" on "/etc": the source being a regular file, ' +
    "the mount point a directory: ENOTDIR (not a directory)",
);

refused("to remount where nothing is mounted", (config) => {
  add(config, "/etc", "none", "remount", "bind", "ro");
}, 'mounts[6]: remount "/etc": nothing is mounted there: EINVAL (invalid argument)');

refused(
  "a filesystem that the kernel does not have",
  (config) => {
    add(config, "/x", "nosuchfs");
  },
  'mounts[6]: mount "nosuchfs" on "/x": the kernel has no filesystem "nosuchfs": ENODEV (no such device)',
);

refused(
  "an id map without any mapping",
  (config, bundle) => {
    add(config, "/v", volume(bundle), "bind", "idmap");
  },
  'BUNDLE/config.json: mounts[6].options[1]: "idmap" needs uidMappings and gidMappings, or a ' +
    "user namespace to take them from",
);

refused("an id map for a filesystem of its own", (config) => {
  const mount = add(config, "/v", "tmpfs");
  mount.uidMappings = mount.gidMappings = [{ containerID: 0, hostID: 1000, size: 1 }];
}, 'mounts[6]: mount on "/v": only bind mounts map ids');

const MAP = (containerID: number, hostID: number, size = 65_536) => [
  { containerID, hostID, size },
];

/** Owners of a directory, of a file on a mount below it, and of a file made inside. */
const IDMAPS: [name: string, options: string[], expected: string[], edit?: Edit][] = [
  ["idmap with explicit mappings", ["rbind", "idmap"], ["1000 1000", "0 0"]],
  ["ridmap with explicit mappings", ["rbind", "ridmap"], ["1000 1000", "1000 1000"]],
];

for (const [name, options, expected] of IDMAPS) {
  inside(
    `${name} shows other owners`,
    (config, bundle) => {
      add(config, "/a", "tmpfs");
      add(config, "/a/b", "tmpfs");
      const mount = add(config, "/v", `${bundle.rootfs}/a`, ...options);
      mount.uidMappings = mount.gidMappings = MAP(0, 1000);
      shell(config, "stat -c '%u %g' /v /v/b");
    },
    expected,
    RUNTS_ONLY,
  ); // crun 1.8 maps the other way round, runc 1.1 not at all
}

inside(
  "explicit mappings count without the option, too",
  (config, bundle) => {
    const mount = add(config, "/v", volume(bundle), "bind");
    mount.uidMappings = mount.gidMappings = MAP(0, 1000);
    shell(config, "stat -c '%u %g' /v /v/file");
  },
  ["1000 1000", "1000 1000"],
  RUNTS_ONLY,
); // as above

inside(
  "idmap takes the mappings of the user namespace",
  (config, bundle) => {
    userNamespace(config);
    volume(bundle);
    for (const name of ["v", "w"]) Deno.mkdirSync(`${bundle.rootfs}/${name}`);
    add(config, "/v", `${bundle.path}/volume`, "bind", "idmap");
    add(config, "/w", "volume", "bind");
    shell(config, "stat -c '%u %g' /v/file /w/file; echo new > /v/new; stat -c '%u %g' /v/new");
  },
  ["0 0", "65534 65534", "0 0"],
  { ignore: PEER === "runc" },
); // 1.1.5 does not know idmap

Deno.test("cgroup mounts show the container's cgroup in every hierarchy", async () => {
  await withRuntime(async (runtime) => {
    const edit = (fresh: boolean): Edit => (config) => {
      if (fresh) config.linux.namespaces.push({ type: "cgroup" });
      const options = ["nosuid", "noexec", "nodev", "ro"];
      config.mounts.push({
        destination: "/sys/fs/cgroup",
        type: "cgroup",
        source: "cgroup",
        options,
      });
    };
    for (const fresh of [false, true]) {
      const mounts = await mountsOf(runtime, edit(fresh));
      const top = mounts.get("/sys/fs/cgroup")!;
      // The peers leave the directory of the hierarchies writable.
      if (PEER === "runts") assertEquals(top.attributes[0], "ro");
      if (top.type === "cgroup2") continue;
      const hierarchies = [...mounts].filter(([path]) => path.startsWith("/sys/fs/cgroup/"));
      assertEquals(hierarchies.every(([, mount]) => mount.attributes[0] === "ro"), true);
      // In a namespace of its own the cgroup is the root.
      const pids = mounts.get("/sys/fs/cgroup/pids")!;
      assertEquals(pids.type, "cgroup");
      if (fresh) assertEquals(pids.root, "/");
      else assertEquals(pids.root.length > 1, true);
      const seen = await linesOf(runtime, (config, bundle) => {
        edit(fresh)(config, bundle);
        shell(config, "grep -c . /sys/fs/cgroup/pids/cgroup.procs");
      });
      assertEquals(seen, ["1"]);
    }
  });
});

Deno.test("nothing that is mounted in the container reaches the host", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      const caps = ["CAP_SYS_ADMIN"];
      config.process.capabilities = { bounding: caps, effective: caps, permitted: caps };
      config.root.readonly = false;
    });
    const path = volume(bundle);
    add(bundle.config, "/v", path, "rbind", "rslave");
    shell(
      bundle.config,
      "busybox mount -t tmpfs t /v/below && touch /v/below/inside && ls /v/below",
    );
    bundle.save();
    assertEquals(
      await runtime.ok(["run", "--bundle", bundle.path, runtime.id()]),
      "inside\n",
    );
    assertEquals([...Deno.readDirSync(`${path}/below`)], []);
  });
});
