/** What keeps a container from starting is told in one line, with the line of its file. */

import { assertEquals, assertMatch } from "@std/assert";
import { hostHas } from "../../support/cgroups.ts";
import { exists } from "../../support/look.ts";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";

/** Lines, and what is said of the first of them that is to blame, behind `config:LINE: `. */
const CASES: readonly (readonly [lines: string, message: RegExp])[] = [
  // The eight that LXC has the same four lines for.
  [
    "lxc.net.1.type = veth\nlxc.net.1.link = nobridge9",
    /8: lxc.net.1.type: network device "nobridge9" does not exist$/,
  ],
  [
    "lxc.hook.pre-start = /nonexistent/hook",
    /8: lxc.hook.pre-start: hook "\/nonexistent\/hook": exit status 127: stderr .*not found/,
  ],
  ["lxc.init.cmd = /sbin/nonexistent", /8: lxc.init.cmd: .*nonexistent.*no such file/],
  [
    "lxc.mount.entry = /nonexistent mnt none bind 0 0",
    /8: lxc.mount.entry: .*"\/nonexistent".*ENOENT/,
  ],
  [
    `lxc.${hostHas("v2") ? "cgroup2" : "cgroup"}.memory.nonsense = 1`,
    /8: lxc.cgroup2?.memory.nonsense: .*"1"/,
  ],
  ["lxc.sysctl.net.ipv4.nonsense = 1", /8: lxc.sysctl.net.ipv4.nonsense: .*ENOENT/],
  [
    "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 4294967295 1",
    /9: lxc.idmap: "g 0 4294967295 1" goes beyond the id/,
  ],
  ["lxc.namespace.share.net = 1999999", /8: lxc.namespace.share.net: .*\/proc\/1999999\/ns\/net/],
  // Mounts.
  [
    "lxc.mount.entry = x mnt nosuchfs create=dir 0 0",
    /8: lxc.mount.entry: .*no filesystem "nosuchfs"/,
  ],
  [
    "lxc.mount.entry = tmpfs mnt tmpfs nosuchoption 0 0",
    /8: lxc.mount.entry: "nosuchoption" is not/,
  ],
  ["lxc.mount.entry = tmpfs mnt tmpfs size=lots,create=dir 0 0", /8: lxc.mount.entry: .*'size'/],
  ["lxc.mount.entry = /usr nowhere none bind 0 0", /8: lxc.mount.entry: .*\/nowhere.*ENOENT/],
  [
    "lxc.mount.entry = /etc etc/passwd none bind 0 0",
    /8: lxc.mount.entry: .*\/etc\/passwd.*ENOTDIR/,
  ],
  ["lxc.mount.fstab = /nonexistent/fstab", /8: lxc.mount.fstab: "\/nonexistent\/fstab": ENOENT/],
  ["lxc.rootfs.path = dir:/nonexistent/rootfs", /8: lxc.rootfs.path: .*\/nonexistent\/rootfs.*/],
  ["lxc.rootfs.path = overlay:/nonexistent:/tmp/runts-up/up", /8: lxc.rootfs.path: .*overlay.*/],
  ["lxc.rootfs.mount = /nonexistent/place", /8: lxc.rootfs.mount: .*\/nonexistent\/place/],
  // The program and its rights.
  ["lxc.init.cmd = /etc/passwd", /8: lxc.init.cmd: .*\/etc\/passwd.*permission denied/],
  ["lxc.init.cwd = /etc/passwd/x", /8: lxc.init.cwd: .*\/etc\/passwd\/x/],
  ["lxc.prlimit.nofile = 99999999999", /8: lxc.prlimit.nofile: .*nofile.*/i],
  ["lxc.proc.nonsense = 1", /8: lxc.proc.nonsense: write "1" to .*ENOENT/],
  [
    "lxc.seccomp.profile = /nonexistent/profile",
    /8: lxc.seccomp.profile: "\/nonexistent\/profile": /,
  ],
  [
    "lxc.environment = NO_SUCH_VARIABLE_HERE",
    /8: lxc.environment: "NO_SUCH_VARIABLE_HERE" is not set/,
  ],
  // Hooks of other stages.
  ["lxc.hook.pre-mount = /bin/false", /8: lxc.hook.pre-mount: .*exit status 1/],
  ["lxc.hook.mount = /nonexistent", /8: lxc.hook.mount: .*exit status 127/],
  ["lxc.hook.autodev = kill -9 $$", /8: lxc.hook.autodev: /],
  ["lxc.hook.start = /bin/false", /8: lxc.hook.start: .*exit status 1/],
  ["lxc.hook.start-host = /bin/false", /8: lxc.hook.start-host: .*exit status 1/],
  // The network.
  [
    "lxc.net.1.type = phys\nlxc.net.1.link = nodevice9",
    /8: lxc.net.1.type: network device "nodevice9" does not exist$/,
  ],
  [
    "lxc.net.1.type = veth\nlxc.net.1.link = lo",
    /8: lxc.net.1.type: network device "lo" is no bridge/,
  ],
  ["lxc.net.1.type = veth\nlxc.net.1.name = lo", /8: lxc.net.1.type: .*EEXIST/],
  [
    "lxc.net.1.type = veth\nlxc.net.1.flags = up\nlxc.net.1.ipv4.gateway = auto",
    /8: lxc.net.1.type: .*needs a link/,
  ],
  [
    "lxc.net.1.type = veth\nlxc.net.1.script.up = /bin/false",
    /9: lxc.net.1.script.up: hook "\/bin\/false": exit status 1/,
  ],
  // Contexts, where the kernel has no SELinux.
  ...(exists("/sys/fs/selinux/enforce") ? [] : [
    [
      "lxc.selinux.context = u:r:x:s0",
      /8: lxc.selinux.context: write "u:r:x:s0" to ".*keycreate": EINVAL.*: SELinux is not enabled/,
    ],
    [
      "lxc.selinux.context = u:r:x:s0\nlxc.keyring.session = 0",
      /8: lxc.selinux.context: write "u:r:x:s0" to ".*exec": EINVAL.*: SELinux is not enabled/,
    ],
    [
      "lxc.selinux.context.keyring = u:r:x:s0",
      /8: lxc.selinux.context.keyring: write "u:r:x:s0" to ".*keycreate": EINVAL.*: SELinux is not/,
    ],
  ] as const),
  // Others.
  [
    "lxc.namespace.share.ipc = nobody",
    /8: lxc.namespace.share.ipc: container "nobody".*does not run/,
  ],
  ["lxc.tty.max = many", /8: lxc.tty.max: "many" is not a whole number/],
  [
    "lxc.cgroup.devices.deny = nonsense",
    /8: lxc.cgroup.devices.deny: "nonsense" is not a device rule/,
  ],
];

Deno.test({
  name: "whatever keeps a container from starting is told in one line with the line of the file",
  ...RUNTS_LXC_ONLY, // LXC prints the same four lines each time
  async fn() {
    await using systems = new Systems();
    for (const [index, [lines, message]] of CASES.entries()) {
      const name = `wrong-${index}`;
      systems.add(name, lines.split("\n"));
      const { code, stdout, stderr } = await systems.run("start", "-n", name);
      // A hook's own words stand in front.
      const told = stderr.trimEnd().split("\n").filter((one) => one.startsWith("runts: "));
      assertEquals([code, stdout, told.length], [1, "", 1], `${lines}\n${stderr}`);
      const [, place] = /\/config:(\d+: .*)$/.exec(told[0]!) ?? [told[0]!, told[0]!];
      assertMatch(place!, new RegExp(`^${message.source}`, message.flags), lines);
      assertEquals(await systems.state(name), "STOPPED");
    }
    assertEquals(systems.mountsOfHost(), []);
  },
});
