/** Mounts, /dev and terminals: what a container finds. */

import { assertEquals, assertMatch } from "@std/assert";
import { RUNTS_LXC_ONLY } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { command } from "../../support/runtime.ts";

Deno.test("mount points are made where that is asked for, and what is optional may be missing", async () => {
  await using systems = new Systems();
  const source = Deno.makeTempDirSync({ dir: systems.path });
  Deno.writeTextFileSync(`${source}/file`, "of the host\n");
  systems.add("mounted", [
    `lxc.mount.entry = ${source} srv/deep none bind,create=dir 0 0`,
    `lxc.mount.entry = ${source}/file etc/one none bind,create=file 0 0`,
    "lxc.mount.entry = /nonexistent mnt none bind,optional 0 0",
    `lxc.mount.entry = ${source} nowhere none bind,optional 0 0`,
    "lxc.mount.entry = tmpfs tmp tmpfs size=64k,nosuid 0 0",
  ]);
  await systems.start("mounted");
  assertEquals(
    await systems.inside("mounted", "cat /srv/deep/file /etc/one"),
    "of the host\nof the host\n",
  );
  assertMatch(
    await systems.inside("mounted", "mount"),
    / on \/tmp type tmpfs \(rw,nosuid,.*size=64k/,
  );
  assertEquals((await systems.run("attach", "-n", "mounted", "--", "/bin/ls", "/nowhere")).code, 1);
});

Deno.test("a mount point that is not there keeps the container from starting", async () => {
  await using systems = new Systems();
  systems.add("pointless", ["lxc.mount.entry = /usr nowhere none bind 0 0"]);
  assertEquals((await systems.run("start", "-n", "pointless")).code, 1);
  assertEquals(await systems.state("pointless"), "STOPPED");
});

Deno.test("proc and sys are read-only but for the network", async () => {
  await using systems = new Systems();
  systems.add("mixed");
  await systems.start("mixed");
  const writes = async (path: string) =>
    (await systems.run("attach", "-n", "mixed", "--", "/bin/sh", "-c", `echo 1 >${path}`)).code;
  assertEquals(await writes("/proc/sys/net/ipv4/ip_forward"), 0);
  assertEquals(await writes("/proc/sys/kernel/domainname"), 1);
  assertEquals(await writes("/proc/sysrq-trigger"), 1);
  const mounts = await systems.inside("mixed", "mount");
  assertMatch(mounts, / on \/sys type sysfs \(ro,/);
  assertMatch(mounts, / on \/sys\/devices\/virtual\/net type sysfs \(rw,/);
});

Deno.test("/dev has a size, six nodes and links", async () => {
  await using systems = new Systems();
  systems.add("dev", ["lxc.tty.max = 2"]);
  await systems.start("dev");
  assertMatch(await systems.inside("dev", "mount"), / on \/dev type tmpfs \(.*size=492k,mode=755/);
  const nodes = "full null random tty urandom zero".split(" ");
  const listed = await systems.inside("dev", `cd /dev; stat -c '%n %a %t:%T' ${nodes.join(" ")}`);
  assertEquals(
    listed,
    "full 666 1:7\nnull 666 1:3\nrandom 666 1:8\ntty 666 5:0\nurandom 666 1:9\nzero 666 1:5\n",
  );
  assertEquals(await systems.inside("dev", "readlink /dev/stdin"), "/proc/self/fd/0\n");
  const ttys = await systems.inside(
    "dev",
    "cd /dev; ls -d tty[0-9]*; test -c console && echo console",
  );
  assertEquals(ttys, "tty1\ntty2\nconsole\n");
});

Deno.test("a boot id is the container's own, another one for each boot, and not to be written", async () => {
  await using systems = new Systems();
  systems.add("booted");
  const bootId = () => systems.inside("booted", "cat /proc/sys/kernel/random/boot_id");
  await systems.start("booted");
  const first = await bootId();
  assertMatch(first, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}\n$/);
  assertEquals(await bootId(), first);
  const write = "echo x 2>/dev/null >/proc/sys/kernel/random/boot_id || echo no";
  assertEquals(await systems.inside("booted", write), "no\n");
  await systems.run("attach", "-n", "booted", "--", "/bin/reboot", "-f");
  await systems.untilShown("booted", "booted\n", 2);
  const ids = new Set([
    first,
    await bootId(),
    Deno.readTextFileSync("/proc/sys/kernel/random/boot_id"),
  ]);
  assertEquals(ids.size, 3);
});

Deno.test("device rules are all there are", async () => {
  await using systems = new Systems();
  systems.add("ruled", [
    "lxc.cgroup.devices.deny = a",
    "lxc.cgroup.devices.allow = c 1:3 rwm",
    "lxc.cgroup.devices.allow = c 5:* rwm",
    "lxc.cgroup.devices.allow = c 136:* rwm",
  ]);
  await systems.start("ruled");
  const opens = async (path: string) =>
    (await systems.run("attach", "-n", "ruled", "--", "/bin/sh", "-c", `: <${path}`)).code;
  assertEquals(await opens("/dev/null"), 0);
  assertEquals(await opens("/dev/zero"), 1);
  const { code } = await systems.run(
    "attach",
    "-n",
    "ruled",
    "--",
    "/bin/mknod",
    "/tmp/zero",
    "c",
    "1",
    "5",
  );
  assertEquals(code, 1);
});

Deno.test("cgroups are mounted on request, the container's own as their root", async () => {
  await using systems = new Systems();
  systems.add("forced", ["lxc.mount.auto = cgroup:rw:force"]);
  systems.add("closed", ["lxc.mount.auto = cgroup:ro:force"]);
  systems.add("without", ["lxc.mount.auto = cgroup:rw"]);
  for (const name of ["forced", "closed", "without"]) await systems.start(name);
  const script = "ls -d /sys/fs/cgroup/*/cgroup.procs /sys/fs/cgroup/cgroup.procs 2>/dev/null";
  const [first] = (await systems.inside("forced", `${script}; true`)).split("\n");
  // Init and the shell that looks.
  assertMatch(await systems.inside("forced", `grep -x 1 ${first}`), /^1$/m);
  const make = `mkdir ${first!.replace(/cgroup.procs$/, "own")}`;
  assertEquals(await systems.inside("forced", `${make} && echo made`), "made\n");
  const { code } = await systems.run("attach", "-n", "closed", "--", "/bin/sh", "-c", make);
  assertEquals(code, 1);
  assertEquals(await systems.inside("without", `${script}; true`), "");
});

Deno.test("what the host mounts below a shared directory is seen inside", async () => {
  await using systems = new Systems();
  const shared = `${systems.path}/shared`;
  Deno.mkdirSync(shared);
  const mount = async (...args: string[]) =>
    assertEquals((await command(["mount", ...args])).code, 0, args.join(" "));
  await mount("--bind", shared, shared);
  try {
    await mount("--make-shared", shared);
    systems.add("seeing", [`lxc.mount.auto = shmounts:${shared}:/srv`]);
    Deno.mkdirSync(`${systems.rootfs("seeing")}/srv`);
    await systems.start("seeing");
    Deno.mkdirSync(`${shared}/late`);
    await mount("-t", "tmpfs", "late", `${shared}/late`);
    Deno.writeTextFileSync(`${shared}/late/file`, "of the host\n");
    assertEquals(await systems.inside("seeing", "cat /srv/late/file"), "of the host\n");
    await systems.ok("stop", "-n", "seeing", "-k");
  } finally {
    await command(["umount", `${shared}/late`]);
    await command(["umount", shared]);
  }
});

Deno.test({
  name: "cores are its own, or it is told why not",
  ...RUNTS_LXC_ONLY, // these words
  async fn() {
    await using systems = new Systems();
    systems.add("alone", ["lxc.sched.core = 1"]);
    const { code, stderr } = await systems.run("start", "-n", "alone");
    if (code === 0) return assertEquals(await systems.state("alone"), "RUNNING");
    const why =
      /config:8: lxc.sched.core: share a core with nobody else: .*(without core scheduling|several threads)/;
    assertMatch(stderr, why);
    assertEquals(await systems.state("alone"), "STOPPED");
  },
});
