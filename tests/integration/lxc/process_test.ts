/** What init may do, and what it finds: ids, limits, rights, system calls, clocks. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Systems } from "../../support/lxc_system.ts";

async function pidOf(systems: Systems, name: string): Promise<number> {
  return Number(await systems.ok("info", "-n", name, "-pH"));
}

/** A profile of system calls. */
function profile(systems: Systems, text: string): string {
  const path = `${systems.path}/profile`;
  Deno.writeTextFileSync(path, text);
  return `lxc.seccomp.profile = ${path}`;
}

Deno.test("ids, groups and working directory of init", async () => {
  await using systems = new Systems();
  systems.add("own", [
    "lxc.init.uid = 7",
    "lxc.init.gid = 8",
    "lxc.init.cwd = /tmp",
  ]);
  systems.open("own");
  await systems.start("own");
  const pid = await pidOf(systems, "own");
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  assertMatch(status, /^Uid:\t7\t7\t7\t7$/m);
  assertMatch(status, /^Gid:\t8\t8\t8\t8$/m);
  assertEquals(Deno.readLinkSync(`/proc/${pid}/cwd`), "/tmp");
});

Deno.test("limits of init, and of what is attached", async () => {
  await using systems = new Systems();
  systems.add("limited", ["lxc.prlimit.nofile = 100:200", "lxc.prlimit.core = unlimited"]);
  await systems.start("limited");
  const limits = Deno.readTextFileSync(`/proc/${await pidOf(systems, "limited")}/limits`);
  assertMatch(limits, /^Max open files +100 +200 /m);
  assertMatch(limits, /^Max core file size +unlimited +unlimited /m);
});

Deno.test("kernel parameters are those of the container alone", async () => {
  await using systems = new Systems();
  const file = "/proc/sys/net/ipv4/ip_default_ttl";
  const before = Deno.readTextFileSync(file);
  const other = before.trim() === "33" ? "34" : "33";
  systems.add("tuned", [`lxc.sysctl.net.ipv4.ip_default_ttl = ${other}`]);
  await systems.start("tuned");
  assertEquals(await systems.inside("tuned", `cat ${file}`), `${other}\n`);
  assertEquals(Deno.readTextFileSync(file), before);
});

Deno.test("files of /proc are written for init", async () => {
  await using systems = new Systems();
  systems.add("written", ["lxc.proc.oom_score_adj = 10", "lxc.proc.coredump_filter = 0x7"]);
  await systems.start("written");
  const pid = await pidOf(systems, "written");
  assertEquals(Deno.readTextFileSync(`/proc/${pid}/oom_score_adj`), "10\n");
  assertEquals(Deno.readTextFileSync(`/proc/${pid}/coredump_filter`), "00000007\n");
});

Deno.test("capabilities that are kept are all there are, and those dropped are gone", async () => {
  await using systems = new Systems();
  systems.add("kept", ["lxc.cap.keep = kill sys_boot"]);
  systems.add("dropped", ["lxc.cap.drop = sys_time"]);
  await systems.start("kept");
  await systems.start("dropped");
  const bounding = async (name: string) => {
    const status = Deno.readTextFileSync(`/proc/${await pidOf(systems, name)}/status`);
    return BigInt(`0x${/^CapBnd:\t(\S+)$/m.exec(status)![1]}`);
  };
  assertEquals(await bounding("kept"), 0x400020n);
  const all = BigInt(
    `0x${/^CapBnd:\t(\S+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]}`,
  );
  assertEquals(await bounding("dropped"), all & ~(1n << 25n));
  assertMatch(await systems.inside("dropped", "grep CapBnd /proc/self/status"), /CapBnd/);
});

Deno.test("a denied system call fails as the profile says", async () => {
  await using systems = new Systems();
  systems.add("denied", [profile(systems, "2\ndenylist\nmkdir errno 5\nmkdirat errno 5\n")]);
  await systems.start("denied");
  const { code, stderr } = await systems.run(
    ...["attach", "-n", "denied", "--", "/bin/mkdir", "/tmp/x"] as const,
  );
  assertEquals(code, 1);
  assertMatch(stderr, /Input\/output error/);
  assertEquals(await systems.inside("denied", "echo well"), "well\n");
});

Deno.test("a condition on an argument denies that call alone", async () => {
  await using systems = new Systems();
  systems.add("picky", [profile(systems, "2\ndenylist\nkill errno 1 [1,12,SCMP_CMP_EQ]\n")]);
  await systems.start("picky");
  const script = "sleep 1000 & kill -12 $! && echo sent; kill -10 $! && echo sent";
  const { stdout, stderr } = await systems.run(
    ...["attach", "-n", "picky", "--", "/bin/sh", "-c", script] as const,
  );
  assertEquals(stdout, "sent\n");
  assertMatch(stderr, /not permitted/);
});

Deno.test("what an allowlist does not have kills", async () => {
  await using systems = new Systems();
  systems.add("allowed", [profile(systems, "2\nallowlist\n[all]\nexit_group\n")]);
  // Init is gone before it has said anything; whether it had begun by then is a matter of luck.
  await systems.run("start", "-n", "allowed");
  await systems.untilState("allowed", "STOPPED");
  assertEquals(systems.shown("allowed"), "");
});

Deno.test("clocks have their offsets", async () => {
  await using systems = new Systems();
  systems.add("later", ["lxc.time.offset.boot = 1000h", "lxc.time.offset.monotonic = 1h"]);
  await systems.start("later");
  const uptime = (text: string) => Number(text.split(" ")[0]);
  const inside = uptime(await systems.inside("later", "cat /proc/uptime"));
  const here = uptime(Deno.readTextFileSync("/proc/uptime"));
  assert(Math.abs(inside - here - 3_600_000) < 120, `${inside} ${here}`);
});

Deno.test("another kind of machine, and no new privileges", async () => {
  await using systems = new Systems();
  systems.add("older", ["lxc.arch = i686", "lxc.no_new_privs = 1"]);
  await systems.start("older");
  assertEquals(await systems.inside("older", "uname -m"), "i686\n");
  const status = Deno.readTextFileSync(`/proc/${await pidOf(systems, "older")}/status`);
  assertMatch(status, /^NoNewPrivs:\t1$/m);
});
