/** What may be put over /proc, and what /sys is without a network namespace. */

import { assertEquals } from "@std/assert";
import { type Config } from "../../support/bundle.ts";
import { mountsOn, withRuntime } from "../../support/host.ts";
import { inside, mountsOf, refused, shell, userNamespace } from "../../support/inside.ts";
import { attack, refused as refusal } from "../../support/attack.ts";
import { command, commandLine, RUNTS_ONLY } from "../../support/runtime.ts";
import { Bundle } from "../../support/bundle.ts";

const BIND = { type: "bind", options: ["bind"] };
const SUBSTITUTED =
  "nothing may be mounted below /proc but on /proc/cpuinfo, /proc/diskstats, /proc/loadavg, " +
  "/proc/meminfo, /proc/net/dev, /proc/slabinfo, /proc/stat, /proc/swaps, " +
  "/proc/sys/crypto/fips_enabled, /proc/sys/kernel/ns_last_pid, /proc/uptime";

const COVERING: [destination: string, mount: Config][] = [
  ["/proc/self", { ...BIND, source: "/tmp" }],
  ["/proc/1", { ...BIND, source: "/tmp" }],
  ["/proc/sys", { ...BIND, source: "/proc/sys" }],
  ["/proc/self/attr", { type: "none", source: "/tmp", options: ["rbind", "ro"] }],
  ["/proc/thread-self/attr/exec", { ...BIND, source: "/dev/null" }],
  ["/proc/acpi", { type: "tmpfs", source: "tmpfs" }],
  ["/proc/sys", { type: "proc", source: "proc" }],
  ["/proc/irq", { type: "sysfs", source: "sysfs" }],
  ["/proc/cpuinfo/x", { ...BIND, source: "/tmp" }],
  ["proc//self/", { ...BIND, source: "/tmp" }],
  ["/dev/../proc/./self", { ...BIND, source: "/tmp" }],
  ["/proc/new", { ...BIND, source: "/dev/null", options: ["bind", "copy-symlink"] }],
];
for (const [destination, mount] of COVERING) {
  const shown = `/${destination}`.replace(/\/+/g, "/").replace("/./", "/").replace(/\/$/, "");
  refused(
    `${mount.type} on ${destination}`,
    (config) => config.mounts.push({ destination, ...mount }),
    `mounts[6].destination: mount on "${shown}": it lies in a procfs: ${SUBSTITUTED}`,
  );
}

refused(
  "another filesystem in the place of procfs",
  (config) => config.mounts[0] = { destination: "/proc", type: "tmpfs", source: "tmpfs" },
  'mounts[0].destination: mount "tmpfs" on "/proc": only a procfs may lie there',
);
refused(
  "a directory of the host in the place of procfs",
  (config) => config.mounts[0] = { destination: "/proc", ...BIND, source: "/tmp" },
  'mounts[0]: bind "/tmp" on "/proc": the source is not the root of a procfs: EINVAL (invalid argument)',
);
refused(
  "a part of the host's procfs in the place of procfs",
  (config) => config.mounts[0] = { destination: "/sys/../proc", ...BIND, source: "/proc/sys" },
  'mounts[0]: bind "/proc/sys" on "/sys/../proc": the source is not the root of a procfs: ' +
    "EINVAL (invalid argument)",
);
refused(
  "a device in procfs",
  (config) => config.linux.devices = [{ type: "c", path: "/proc/kmsg", major: 1, minor: 3 }],
  'linux.devices[0].path: "/proc/kmsg" lies in /proc, where there can be no devices',
);

inside("files that only inform may have a substitute", (config, bundle) => {
  bundle.put("etc/uptime", "1.00 1.00\n");
  const source = `${bundle.rootfs}/etc/uptime`;
  for (const name of ["uptime", "stat", "meminfo"]) {
    config.mounts.push({ destination: `/proc/${name}`, ...BIND, source });
  }
  shell(config, "cat /proc/uptime /proc/stat /proc/meminfo");
}, ["1.00 1.00", "1.00 1.00", "1.00 1.00"]);

inside("the host's procfs may be bound", (config) => {
  config.mounts[0] = { destination: "/proc", type: "bind", source: "/proc", options: ["rbind"] };
  config.linux.maskedPaths = config.linux.readonlyPaths = [];
  shell(config, "test -d /proc/self/fd && cat /proc/1/comm | wc -l");
}, ["1"]);

const LINKED: [destination: string, link: string][] = [
  ["/link/self", "/proc"],
  ["/proc/../link", "/proc/self"],
  ["/link", "/proc/sys/"],
  ["/tmp/../link", "../../proc/acpi"],
];
for (const [destination, link] of LINKED) {
  attack(`a mount on ${destination}, where /link leads to ${link}`, async (attack) => {
    const { bundle } = attack;
    Deno.symlinkSync(link, `${bundle.rootfs}/link`);
    bundle.config.mounts.push({ destination, type: "bind", source: "/tmp", options: ["bind"] });
    assertEquals(
      await refusal(attack),
      `mounts[6]: bind "/tmp" on "${destination}": a symlink leads into procfs or sysfs: ` +
        "EXDEV (invalid cross-device link)",
    );
    assertEquals(mountsOn(bundle), []);
  });
}

for (const user of [false, true]) {
  attack(
    `a device behind a symlink to procfs${user ? ", with a user namespace" : ""}`,
    async (attack) => {
      const { bundle } = attack;
      if (user) userNamespace(bundle.config);
      Deno.symlinkSync("/proc", `${bundle.rootfs}/link`);
      bundle.config.linux.devices = [{ type: "c", path: "/link/kmsg", major: 1, minor: 3 }];
      assertEquals(
        await refusal(attack),
        'linux.devices[0]: make the character device 1:3 "/link/kmsg": ' +
          "it would lie in procfs or sysfs: EXDEV (invalid cross-device link)",
      );
    },
  );
}

Deno.test({
  name:
    "with the host's network a user namespace sees the host's /sys, and can write nowhere there",
  ...RUNTS_ONLY, // runc refuses it, crun makes all of it writable
  fn: () =>
    withRuntime(async (runtime) => {
      // The host's root owns what is there.
      const mounts = await mountsOf(runtime, (config) => {
        userNamespace(config, 0);
        config.linux.namespaces = config.linux.namespaces.filter(({ type }: Config) =>
          type !== "network"
        );
      });
      const below = [...mounts].filter(([path]) => path === "/sys" || path.startsWith("/sys/"));
      assertEquals(below.length > 1, true);
      for (const [path, { attributes }] of below) {
        if (path === "/sys/firmware") continue; // masked
        const flags = ["ro", "nosuid", "nodev", "noexec"];
        assertEquals(attributes.filter((flag) => flags.includes(flag)), flags, path);
      }
    }),
});

Deno.test({
  name: "whoever has CAP_SYS_ADMIN in a user namespace cannot make the host's /sys writable",
  ...RUNTS_ONLY, // runc refuses the mount, crun makes it writable
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        userNamespace(config, 0);
        config.linux.namespaces = config.linux.namespaces.filter(({ type }: Config) =>
          type !== "network"
        );
        const sets = ["bounding", "effective", "permitted"];
        config.process.capabilities = Object.fromEntries(
          sets.map((set) => [set, ["CAP_SYS_ADMIN"]]),
        );
        shell(
          config,
          "for at in /sys /sys/fs/cgroup; do mount -o remount,bind,rw $at 2>/dev/null && echo $at; " +
            'done; grep -c " /sys[^ ]* rw" /proc/self/mountinfo',
        );
      });
      const args = ["run", "--bundle", bundle.path, runtime.id()];
      const { stdout, stderr } = await runtime.run(args);
      assertEquals({ stdout, stderr }, { stdout: "0\n", stderr: "" });
    }),
});

attack("/sys that is a symlink, where the host's is to be seen", async (attack) => {
  const { bundle, outside } = attack;
  userNamespace(bundle.config);
  bundle.config.linux.namespaces = bundle.config.linux.namespaces.filter(({ type }: Config) =>
    type !== "network"
  );
  Deno.removeSync(`${bundle.rootfs}/sys`);
  Deno.symlinkSync(`${outside.path}/directory`, `${bundle.rootfs}/sys`);
  assertEquals(
    await refusal(attack),
    'mounts[5]: bind "/sys" on "/sys": the source being a directory, the mount point a symlink: ' +
      "ENOTDIR (not a directory)",
  );
});

const COVERED: [name: string, edit: (config: Config) => void][] = [
  ["a sysctl", () => {}],
  ["a sysctl, with a user namespace,", (config) => {
    userNamespace(config);
    // The kernel lets it have no procfs of its own then.
    config.mounts[0] = { destination: "/proc", type: "bind", source: "/proc", options: ["rbind"] };
  }],
];
for (const [name, edit] of COVERED) {
  Deno.test({
    name: `${name} is set where something is mounted over the host's /proc/sys`,
    ...RUNTS_ONLY, // 1.1 and 1.8 write to what lies there
    fn: () =>
      withRuntime(async (runtime) => {
        for (const place of ["/proc/sys", "/proc/sys/net/ipv4/ip_forward"]) {
          using bundle = new Bundle((config) => {
            edit(config);
            config.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.shmmni": "111" };
            shell(config, "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni");
          });
          const line = commandLine(runtime.executable, ["--root", runtime.root, "run"]);
          const cover = `mount --bind ${place} ${place} && exec "$@"`;
          const output = await command([
            ...["unshare", "-m", "--propagation", "private", "sh", "-c", cover, "sh"],
            ...[...line, "--bundle", bundle.path, runtime.id()],
          ]);
          assertEquals(output, { code: 0, stdout: "1\n111\n", stderr: "" }, place);
        }
      }),
  });
}
