/** Hostile root filesystems and containers: each test tries an attack and shows that it fails. */

import { assert, assertEquals } from "@std/assert";
import { type Attack, attack, refused, run, tmpfs } from "../../support/attack.ts";
import type { Bundle, Config } from "../../support/bundle.ts";
import { addPayload } from "../../support/payload.ts";
import { RUNTIME, until } from "../../support/runtime.ts";

attack("a mount target behind symlinks stays in the root filesystem", async (attack) => {
  const { bundle, outside } = attack;
  Deno.symlinkSync(`${outside.path}/directory`, `${bundle.rootfs}/absolute`);
  Deno.symlinkSync(`../../../../../..${outside.path}/directory`, `${bundle.rootfs}/relative`);
  Deno.symlinkSync("/proc/1/root", `${bundle.rootfs}/magic`);
  bundle.config.mounts.push(
    tmpfs("/absolute/a"),
    tmpfs("/relative/b"),
    tmpfs(`/../../../../../..${outside.path}/directory/c`),
    { destination: "/absolute/f", source: "/bin/busybox", options: ["bind"] },
  );
  const inside = `${outside.path}/directory`;
  assertEquals(
    await run(
      attack,
      `ls ${inside}; for d in a b c f; do grep -c " ${inside}/$d " /proc/mounts; done`,
    ),
    "a\nb\nc\nf\n1\n1\n1\n1\n",
  );
});

attack("a mount target behind a magic link is refused", async (attack) => {
  Deno.symlinkSync("/proc/1/root", `${attack.bundle.rootfs}/magic`);
  attack.bundle.config.mounts.push(tmpfs("/magic/tmp"));
  assertEquals(
    await refused(attack),
    'mounts[6]: mount "tmpfs" on "/magic/tmp": "/magic" is a symlink to "/proc/1/root" ' +
      "that cannot be followed: ELOOP (too many levels of symbolic links)",
  );
});

attack("a symlink does not turn a mount onto procfs", async (attack) => {
  Deno.symlinkSync("/proc/self/attr", `${attack.bundle.rootfs}/volume`);
  attack.bundle.config.mounts.push(tmpfs("/volume"));
  assertEquals(
    await refused(attack),
    'mounts[6]: mount "tmpfs" on "/volume": a symlink leads into procfs or sysfs: ' +
      "EXDEV (invalid cross-device link)",
  );
});

attack("a symlink on the way does not turn a mount onto procfs either", async (attack) => {
  Deno.symlinkSync("/proc/self", `${attack.bundle.rootfs}/volume`);
  const options = ["dest-nofollow"];
  attack.bundle.config.mounts.push({ ...tmpfs("/volume/attr"), options });
  assertEquals(
    await refused(attack),
    'mounts[6]: mount "tmpfs" on "/volume/attr": a symlink leads into procfs or sysfs: ' +
      "EXDEV (invalid cross-device link)",
  );
});

for (const [path, type] of [["proc", "proc"], ["sys", "sysfs"]] as const) {
  attack(`/${path} that is a symlink is refused`, async (attack) => {
    const { bundle, outside } = attack;
    Deno.removeSync(`${bundle.rootfs}/${path}`);
    Deno.symlinkSync(`${outside.path}/directory`, `${bundle.rootfs}/${path}`);
    assertEquals(
      await refused(attack),
      `mounts[${path === "proc" ? 0 : 5}]: mount "${type}" on "/${path}": ` +
        "the mount point is a symlink, not a directory: ENOTDIR (not a directory)",
    );
  });
}

attack("a sysctl reaches procfs and not what covers it (CVE-2025-52881)", async (attack) => {
  const { bundle } = attack;
  const covered = "/proc/sys/kernel/domainname";
  // Another file of procfs, so that the type of the filesystem tells nothing.
  const script = `mount --bind /proc/$$/oom_score_adj ${covered} && echo ready && exec sleep 1000`;
  const namespace = new Deno.Command("unshare", {
    args: ["-m", "sh", "-c", script],
    stdout: "piped",
  }).spawn();
  const reader = namespace.stdout.getReader();
  try {
    await reader.read();
    const entry = bundle.config.linux.namespaces.find((one: Config) => one.type === "mount");
    entry.path = `/proc/${namespace.pid}/ns/mnt`;
    bundle.config.linux.sysctl = { "kernel.domainname": "77" };
    assertEquals(await run(attack, `cat ${covered} /proc/self/oom_score_adj`), "77\n0\n");
  } finally {
    namespace.kill("SIGKILL");
    await reader.cancel();
    await namespace.status;
  }
});

attack("a device behind symlinks stays in the root filesystem", async (attack) => {
  const { bundle, outside } = attack;
  Deno.symlinkSync(`${outside.path}/directory`, `${bundle.rootfs}/link`);
  bundle.config.linux.devices = [
    { path: "/link/zero", type: "c", major: 1, minor: 5 },
    { path: `/link/../../../../..${outside.path}/directory/up`, type: "c", major: 1, minor: 5 },
  ];
  assertEquals(
    await run(attack, `cd ${outside.path}/directory && stat -c '%n %t:%T' *`),
    "up 1:5\nzero 1:5\n",
  );
});

attack("a default device that the image has replaced is refused", async (attack) => {
  const { bundle, outside } = attack;
  bundle.config.mounts = bundle.config.mounts.filter((mount: Config) =>
    !mount.destination.startsWith("/dev")
  );
  Deno.symlinkSync(`${outside.path}/secret`, `${bundle.rootfs}/dev/null`);
  assertEquals(
    await refused(attack),
    'make the character device 1:3 "/dev/null": "/dev/null" is a symlink: EEXIST (file exists)',
  );
});

attack("masked and read-only paths behind symlinks stay inside", async (attack) => {
  const { bundle, outside } = attack;
  Deno.symlinkSync(`${outside.path}/secret`, `${bundle.rootfs}/link`);
  Deno.symlinkSync(`${outside.path}/directory`, `${bundle.rootfs}/directory`);
  bundle.config.linux.maskedPaths.push("/link", "/directory", `/../../..${outside.path}/secret`);
  bundle.config.linux.readonlyPaths.push("/link", "/directory");
  assertEquals(await run(attack, `grep -c ${outside.path} /proc/mounts || true`), "0\n");
  // A read-only or masked host would fail here.
  Deno.writeTextFileSync(`${outside.path}/directory/probe`, "");
  Deno.removeSync(`${outside.path}/directory/probe`);
});

attack("what is masked can neither be read nor unmounted", async (attack) => {
  attack.bundle.put("hidden", "hidden\n");
  attack.bundle.config.linux.maskedPaths.push("/hidden", "/proc/version");
  const script = "cat /hidden; umount /hidden 2>/dev/null || echo refused; cat /hidden; " +
    "stat -c '%t:%T' /hidden; cat /proc/version; ls /sys/firmware";
  assertEquals(await run(attack, script), "refused\n1:3\n");
});

attack("the working directory cannot lie outside", async (attack) => {
  const { bundle, outside } = attack;
  Deno.symlinkSync(`${outside.path}/directory`, `${bundle.rootfs}/link`);
  bundle.config.process.cwd = "/link";
  assertEquals(
    await refused(attack),
    'process.cwd: enter "/link": ENOENT (no such file or directory)',
  );
});

attack("magic links as working directory (CVE-2024-21626)", async (attack) => {
  const { runtime, bundle, outside } = attack;
  const sound = runtime.id();
  bundle.config.process.args = ["sleep", "1000"];
  bundle.save();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, sound]);
  bundle.config.process.args = ["cat", `../../../../../../../..${outside.path}/secret`];
  for (let fd = 0; fd <= 40; fd++) {
    const cwd = `/proc/self/fd/${fd}`;
    const executed = await runtime.run(["exec", "--cwd", cwd, sound, "sh", "-c", "pwd"]);
    assertEquals({ cwd, ...executed, stderr: "" }, { cwd, code: 255, stdout: "", stderr: "" });
    if (fd % 4 !== 0) continue;
    bundle.config.process.cwd = cwd;
    bundle.save();
    const { code, stdout } = await runtime.run(["run", "--bundle", bundle.path, runtime.id()]);
    assertEquals({ cwd, code, stdout }, { cwd, code: 1, stdout: "" });
  }
  await runtime.ok(["delete", "--force", sound]);
});

attack(
  "the runtime cannot be overwritten by way of /proc/PID/exe (CVE-2019-5736)",
  async (attack) => {
    const { runtime, bundle } = attack;
    await addPayload(bundle, "hostile");
    const digest = async () =>
      new Uint8Array(
        await crypto.subtle.digest("SHA-256", Deno.readFileSync(RUNTIME)),
      );
    const before = await digest();
    // The container executes whatever executes it, and attacks it from within.
    bundle.put("bin/again", "#!/proc/self/exe\n", 0o755);
    // Its own files it could overwrite by right.
    bundle.config.root.readonly = true;
    Deno.mkdirSync(`${bundle.path}/log`);
    const source = `${bundle.path}/log`;
    bundle.config.mounts.push({ destination: "/tmp", source, options: ["bind"] });
    bundle.config.process.args = ["sh", "-c", "exec hostile overwrite >/tmp/log"];
    bundle.save();
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    await until("it attacks", () => logOf(bundle).startsWith("ready\n"));
    for (let i = 0; i < 10; i++) {
      await runtime.ok(["exec", id, "/bin/true"]);
      await runtime.run(["exec", id, "/bin/again"]);
      await runtime.run(["exec", id, "/proc/self/exe"]);
    }
    assertEquals(logOf(bundle), "ready\n");
    await runtime.ok(["delete", "--force", id]);
    bundle.config.process.args = ["/proc/self/exe"];
    bundle.save();
    const itself = await runtime.run(["run", "--bundle", bundle.path, runtime.id()]);
    assert(itself.code !== 0);
    assertEquals(await digest(), before);
  },
);

function logOf(bundle: Bundle): string {
  try {
    return Deno.readTextFileSync(`${bundle.path}/log/log`);
  } catch {
    return "";
  }
}

/** A console socket that nothing has been sent to when the test ends. */
async function withConsoleSocket(attack: Attack, body: (path: string) => Promise<void>) {
  const path = `${attack.bundle.path}/console.sock`;
  using listener = Deno.listen({ transport: "unix", path });
  void listener;
  await body(path);
}

async function terminalRefused(attack: Attack, message: string): Promise<void> {
  const { runtime, bundle } = attack;
  bundle.config.process.terminal = true;
  bundle.save();
  await withConsoleSocket(attack, async (socket) => {
    const id = runtime.id();
    const args = ["create", "--bundle", bundle.path, "--console-socket", socket, id];
    const { code, stderr } = await runtime.run(args);
    assertEquals({ code, stderr }, { code: 1, stderr: `runts: create "${id}": ${message}\n` });
  });
}

attack("/dev/pts/ptmx that is something else is refused (CVE-2025-52565)", async (attack) => {
  const { config, rootfs } = attack.bundle;
  config.mounts = config.mounts.filter((mount: Config) => !mount.destination.startsWith("/dev"));
  Deno.mkdirSync(`${rootfs}/dev/pts`);
  const path = `${rootfs}/dev/pts/ptmx`;
  const message =
    'process.terminal: console: "/dev/pts/ptmx" is not the multiplexer of a devpts: ' +
    "ENOTTY (inappropriate ioctl for device)";
  Deno.writeTextFileSync(path, "");
  await terminalRefused(attack, message);
  Deno.removeSync(path);
  Deno.symlinkSync("/dev/null", path);
  await terminalRefused(attack, message);
});

attack("/dev/console that is a symlink is refused (CVE-2025-52565)", async (attack) => {
  const { bundle, outside } = attack;
  bundle.config.mounts = bundle.config.mounts.filter((mount: Config) =>
    mount.destination !== "/dev"
  );
  Deno.symlinkSync(`${outside.path}/secret`, `${bundle.rootfs}/dev/console`);
  await terminalRefused(
    attack,
    'process.terminal: console: mount on "/dev/console": it is a symlink: EEXIST (file exists)',
  );
});
