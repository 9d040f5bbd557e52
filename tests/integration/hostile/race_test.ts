/** Races that are lost again and again: what create opens is exchanged for something else meanwhile. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { attack, tmpfs } from "../../support/attack.ts";
import type { Bundle, Config } from "../../support/bundle.ts";
import { readMounts } from "../../support/inside.ts";
import { addPayload } from "../../support/payload.ts";
import { command } from "../../support/runtime.ts";

/** How often a race is run. */
const ROUNDS = 12;

attack("directories swapped for symlinks while create runs", async (attack) => {
  const { runtime, bundle, outside } = attack;
  await addPayload(bundle, "hostile");
  Deno.mkdirSync(`${bundle.rootfs}/swap`);
  Deno.mkdirSync(`${bundle.rootfs}${outside.path}/directory`, { recursive: true });
  Deno.symlinkSync(`${outside.path}/directory`, `${bundle.rootfs}/link`);
  const { config } = bundle;
  config.process.args = ["sleep", "1000"];
  config.mounts.push(tmpfs("/swap/tmpfs"), {
    destination: "/swap/deep/file",
    source: "/bin/busybox",
    options: ["bind"],
  });
  config.linux.devices = [{ path: "/swap/zero", type: "c", major: 1, minor: 5 }];
  config.linux.maskedPaths.push("/swap/tmpfs", "/swap/deep");
  config.linux.readonlyPaths.push("/swap/..", "/swap/deep");
  bundle.save();
  await whileSwapping(bundle, "swap", "link", async () => {
    let made = 0;
    for (let i = 0; i < 2 * ROUNDS; i++) {
      const id = runtime.id();
      const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, id]);
      if (code === 0) made++;
      else assertStringIncludes(stderr, `runts: create "${id}": `);
      outside.assertUntouched();
      await runtime.ok(["delete", "--force", id]);
    }
    assert(made > 0, "the race was never survived");
  });
});

attack("the null device swapped while create masks with it (CVE-2025-31133)", async (attack) => {
  const { runtime, bundle } = attack;
  await addPayload(bundle, "hostile");
  const { config, rootfs } = bundle;
  config.mounts = config.mounts.filter(({ destination }: Config) =>
    !destination.startsWith("/dev")
  );
  bundle.put("hidden", "hidden\n");
  config.linux.maskedPaths = ["/hidden", "/proc/version", "/proc/keys", "/sys/firmware"];
  const made = await command(["mknod", "-m", "666", `${rootfs}/dev/null`, "c", "1", "3"]);
  assertEquals(made.code, 0, made.stderr);
  Deno.symlinkSync("/proc/sys/kernel/core_pattern", `${rootfs}/dev/evil`);
  const script = "cat /hidden /proc/version /proc/keys; ls /sys/firmware; " +
    "stat -c '%t:%T' /hidden /proc/version; grep -c core_pattern /proc/self/mountinfo";
  config.process.args = ["sh", "-c", script];
  bundle.save();
  const round = async () => {
    const id = runtime.id();
    const { code, stdout, stderr } = await runtime.run(["run", "--bundle", bundle.path, id]);
    if (stdout === "") assertStringIncludes(stderr, `runts: run "${id}": `);
    else assertEquals({ code, stdout }, { code: 1, stdout: "1:3\n1:3\n0\n" }, stderr);
    return stdout !== "";
  };
  assert(await round(), "it does not even run in peace");
  await whileSwapping(bundle, "dev/null", "dev/evil", async () => {
    for (let i = 0; i < ROUNDS; i++) await round();
  });
});

attack("the console swapped while create mounts the terminal (CVE-2025-52565)", async (attack) => {
  const { runtime, bundle, outside } = attack;
  await addPayload(bundle, "hostile");
  const { config, rootfs } = bundle;
  const isDev = ({ destination }: Config) =>
    ["/dev", "/dev/shm", "/dev/mqueue"].includes(destination);
  config.mounts = config.mounts.filter((mount: Config) => !isDev(mount));
  Deno.mkdirSync(`${rootfs}/dev/pts`);
  Deno.writeTextFileSync(`${rootfs}/dev/console`, "");
  Deno.symlinkSync("/proc/sysrq-trigger", `${rootfs}/dev/evil`);
  config.process.terminal = true;
  config.process.args = ["sleep", "1000"];
  bundle.save();
  const path = `${bundle.path}/console.sock`;
  using listener = Deno.listen({ transport: "unix", path });
  void listener;
  await whileSwapping(bundle, "dev/console", "dev/evil", async () => {
    for (let i = 0; i < ROUNDS; i++) {
      const id = runtime.id();
      const create = ["create", "--bundle", bundle.path, "--console-socket", path, id];
      const { code, stderr } = await runtime.run(create);
      if (code === 0) {
        const { pid } = await runtime.state(id);
        const lines = Deno.readTextFileSync(`/proc/${pid}/mountinfo`).trim().split("\n");
        const terminals = [...readMounts(lines)].filter(([, { type }]) => type === "devpts");
        const places = terminals.map(([place]) => place).sort();
        // Swapped afterwards, the mount point keeps its mount and changes its name.
        assert(["/dev/console", "/dev/evil"].includes(places[0]!), places.join(" "));
        assertEquals(places.slice(1), ["/dev/pts"]);
      } else assertStringIncludes(stderr, `runts: create "${id}": `);
      outside.assertUntouched();
      await runtime.ok(["delete", "--force", id]);
    }
  });
});

attack(
  "procfs covered and uncovered while a sysctl is written (CVE-2025-52881)",
  async (attack) => {
    const { runtime, bundle } = attack;
    const covered = "/proc/sys/kernel/domainname";
    const script = "echo ready; while :; do " +
      `mount --bind /proc/$$/oom_score_adj ${covered}; umount ${covered}; done`;
    const racer = new Deno.Command("unshare", {
      args: ["-m", "sh", "-c", script],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = racer.stdout.getReader();
    try {
      await reader.read();
      const entry = bundle.config.linux.namespaces.find((one: Config) => one.type === "mount");
      entry.path = `/proc/${racer.pid}/ns/mnt`;
      bundle.config.linux.sysctl = { "kernel.domainname": "77" };
      bundle.config.process.args = ["true"];
      bundle.save();
      for (let i = 0; i < ROUNDS; i++) {
        const id = runtime.id();
        const { code, stderr } = await runtime.run(["run", "--bundle", bundle.path, id]);
        if (code !== 0) assertStringIncludes(stderr, `runts: run "${id}": `);
        assertEquals(Deno.readTextFileSync(`/proc/${racer.pid}/oom_score_adj`), "0\n");
      }
    } finally {
      racer.kill("SIGKILL");
      await reader.cancel();
      await racer.status;
    }
  },
);

/** Has a process exchange two names in the root filesystem all the time. */
async function whileSwapping(
  { rootfs }: Bundle,
  one: string,
  other: string,
  body: () => Promise<void>,
): Promise<void> {
  const swapper = new Deno.Command(`${rootfs}/bin/hostile`, {
    args: ["swap", `${rootfs}/${one}`, `${rootfs}/${other}`],
  }).spawn();
  try {
    await body();
  } finally {
    swapper.kill("SIGKILL");
    await swapper.status;
  }
}
