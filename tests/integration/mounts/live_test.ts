/** `mounts add` and `mounts remove`: what a container that exists gets mounted, or loses again. */

import { assertEquals } from "@std/assert";
import { addMounts, removeMounts } from "../../../verbs.ts";
import { Bundle, type Config, idle } from "../../support/bundle.ts";
import { mountsOn, type TestRuntime, withRuntime } from "../../support/host.ts";
import { readMounts, userNamespace } from "../../support/inside.ts";
import { exists } from "../../support/look.ts";
import { type Output, RUNTS_ONLY } from "../../support/runtime.ts";

const OK = { code: 0, stdout: "", stderr: "" };

/** A container that sleeps, and a directory of the host beside its root filesystem. */
class Live {
  readonly id: string;
  readonly volume: string;

  constructor(readonly runtime: TestRuntime, readonly bundle: Bundle) {
    this.id = runtime.id();
    this.volume = `${bundle.path}/volume`;
    Deno.mkdirSync(`${this.volume}/below`, { recursive: true });
    Deno.writeTextFileSync(`${this.volume}/file`, "text\n");
  }

  change(action: "add" | "remove", mounts: unknown): Promise<Output> {
    const file = `${this.bundle.path}/mounts.json`;
    Deno.writeTextFileSync(file, JSON.stringify(mounts));
    return this.runtime.run(["mounts", action, this.id, file]);
  }

  add(...mounts: Config[]): Promise<Output> {
    return this.change("add", mounts);
  }

  remove(...destinations: string[]): Promise<Output> {
    return this.change("remove", destinations.map((destination) => ({ destination })));
  }

  /** What a shell in the container prints. */
  sh(script: string): Promise<string> {
    return this.runtime.ok(["exec", this.id, "sh", "-c", script]);
  }

  async mounts(): Promise<ReturnType<typeof readMounts>> {
    return readMounts((await this.sh("cat /proc/self/mountinfo")).trim().split("\n"));
  }
}

function bind(source: string, destination: string, ...options: string[]): Config {
  return { source, destination, options: ["bind", ...options] };
}

function live(
  name: string,
  body: (live: Live) => Promise<void>,
  edit: (config: Config) => void = () => {},
  start: "run" | "create" = "run",
): void {
  Deno.test({
    name,
    ...RUNTS_ONLY,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle((config) => {
          idle(config);
          config.root.readonly = false;
          edit(config);
        });
        const live = new Live(runtime, bundle);
        const detach = start === "run" ? ["--detach"] : [];
        await runtime.ok([start, ...detach, "--bundle", bundle.path, live.id]);
        await body(live);
        assertEquals(mountsOn(bundle), []);
        await runtime.ok(["delete", "--force", live.id]);
      }),
  });
}

live("directories, files and tmpfs come into a container that runs, and go", async (live) => {
  const { volume } = live;
  const before = await live.mounts();
  assertEquals(
    await live.add(
      bind("volume", "/data", "ro", "nosuid"),
      bind(`${volume}/file`, "/etc/a/file"),
      { destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["ro", "size=64k"] },
    ),
    OK,
  );
  const after = await live.mounts();
  assertEquals(after.get("/data")?.attributes, ["ro", "nosuid", "relatime"]);
  assertEquals(after.get("/scratch")?.attributes, ["ro", "relatime"]);
  assertEquals(await live.sh("cat /data/file /etc/a/file; echo x > /etc/a/file"), "text\ntext\n");
  assertEquals(Deno.readTextFileSync(`${volume}/file`), "x\n");
  assertEquals(await live.remove("/data", "/etc/a/file", "/scratch"), OK);
  assertEquals([...(await live.mounts()).keys()], [...before.keys()]);
  assertEquals(await live.sh("ls /data"), "");
});

live(
  "they come before the program starts, and while it is paused",
  async (live) => {
    assertEquals(await live.add(bind("volume", "/data")), OK);
    await live.runtime.ok(["start", live.id]);
    await live.runtime.ok(["pause", live.id]);
    assertEquals(await live.add(bind("volume/below", "/more")), OK);
    await live.runtime.ok(["resume", live.id]);
    assertEquals(await live.sh("ls /data; touch /more/x"), "below\nfile\n");
    assertEquals(exists(`${live.volume}/below/x`), true);
  },
  () => {},
  "create",
);

live("what is mounted below comes with rbind, and goes with what it is on", async (live) => {
  assertEquals(await live.add(bind("volume", "/data"), bind("volume", "/data/below")), OK);
  assertEquals(await live.sh("ls /data/below"), "below\nfile\n");
  assertEquals(await live.remove("/data"), OK);
  assertEquals(await live.sh("ls /data"), "");
});

live(
  "in a user namespace they belong to its root, and ids are mapped where that is asked",
  async (live) => {
    for (const path of [live.volume, `${live.bundle.rootfs}/tmp`]) Deno.chmodSync(path, 0o777);
    const idmap = bind("volume", "/mapped", "idmap");
    assertEquals(
      await live.add(bind("volume", "/tmp/data"), { ...idmap, destination: "/tmp/m" }),
      OK,
    );
    assertEquals(
      await live.sh("stat -c %u /tmp/data /tmp/data/file /tmp/m/file; touch /tmp/data/new"),
      "65534\n65534\n0\n",
    );
    assertEquals(Deno.statSync(`${live.volume}/new`).uid, 100_000);
    assertEquals(Deno.statSync(`${live.bundle.rootfs}/tmp/data`).uid, 100_000);
    assertEquals(await live.remove("/tmp/data", "/tmp/m"), OK);
    assertEquals((await live.mounts()).has("/tmp/data"), false);
  },
  (config) => userNamespace(config),
);

live("when one fails, none is there", async (live) => {
  const before = await live.mounts();
  const { id, volume } = live;
  assertEquals(await live.add(bind("volume", "/data"), bind(`${volume}/none`, "/none")), {
    code: 1,
    stdout: "",
    stderr: `runts: mounts add "${id}": mounts[1]: open the bind source "${volume}/none": ` +
      `"${volume}/none" does not exist: ENOENT (no such file or directory)\n`,
  });
  assertEquals(await live.mounts(), before);
});

live("a symlink in the container leads nowhere else", async (live) => {
  await live.sh("ln -s /proc/sys /link; ln -s /../../../../outside /up");
  assertEquals(await live.add(bind("volume", "/up")), OK);
  assertEquals(await live.sh("ls /outside"), "below\nfile\n");
  const { id, volume } = live;
  assertEquals(await live.add(bind(volume, "/link")), {
    code: 1,
    stdout: "",
    stderr: `runts: mounts add "${id}": mounts[0]: bind "${volume}" on "/link": a symlink ` +
      "leads into procfs or sysfs: EXDEV (invalid cross-device link)\n",
  });
  assertEquals(await live.remove("/up"), OK);
});

live("what cannot be is refused, with the place in the list", async (live) => {
  const { id, bundle: { path } } = live;
  const refused = async (output: Promise<Output>, verb: string, message: string) => {
    const stderr = `runts: mounts ${verb} "${id}": ${message}\n`;
    assertEquals(await output, { code: 1, stdout: "", stderr });
  };
  const file = `${path}/mounts.json`;
  await refused(live.change("add", {}), "add", `${file}: mounts: {} is not an array`);
  await refused(live.change("add", null), "add", `${file}: mounts: "" is not an array`);
  await refused(
    live.add({ destination: "/x", options: ["bind"] }),
    "add",
    `${file}: mounts[0].source: is required for a bind mount`,
  );
  await refused(live.remove(""), "remove", `${file}: mounts[0].destination: "" is empty`);
  const only = "mounts[0]: only bind mounts and tmpfs can be added to a container that exists";
  await refused(live.add({ destination: "/p", type: "proc", source: "proc" }), "add", only);
  await refused(
    live.add(bind("volume", "/tmp", "remount")),
    "add",
    `${only}: without the options "remount" and "copy-symlink"`,
  );
  await refused(
    live.remove("/tmp"),
    "remove",
    'mounts[0]: unmount "/tmp": nothing is mounted there, or the user namespace locks it: ' +
      "EINVAL (invalid argument)",
  );
  await refused(
    live.remove("/nowhere/x"),
    "remove",
    'mounts[0]: unmount "/nowhere/x": "/nowhere" does not exist: ENOENT (no such file or directory)',
  );
  await refused(
    live.remove("/tmp/.."),
    "remove",
    'mounts[0]: unmount "/tmp/..": it is the root: EBUSY (device or resource busy)',
  );
  await live.runtime.ok(["kill", id, "KILL"]);
  await live.runtime.untilStopped(id);
  await refused(
    live.add(bind("volume", "/data")),
    "add",
    "cannot change the mounts of a container that is stopped",
  );
});

live("without a mount namespace there is nothing to change", async (live) => {
  assertEquals(await live.add(bind("volume", "/data")), {
    code: 1,
    stdout: "",
    stderr:
      `runts: mounts add "${live.id}": the container has no mount namespace of its own: what is ` +
      "mounted on the host is there for it, too\n",
  });
  await live.runtime.ok(["delete", "--force", live.id]);
}, (config) => {
  config.mounts = [];
  config.linux.maskedPaths = config.linux.readonlyPaths = [];
  config.linux.namespaces = [{ type: "pid" }];
  delete config.hostname;
});

live("a script gives the mounts themselves", async (live) => {
  const settings = { root: live.runtime.root };
  const change = {
    id: live.id,
    mounts: [{ destination: "/data", type: "bind", source: live.volume }],
  };
  await addMounts(settings, change);
  assertEquals(await live.sh("ls /data"), "below\nfile\n");
  await removeMounts(settings, change);
  assertEquals(await live.sh("ls /data"), "");
});
