/** What a program that is attached has of the container, and what of its caller. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { lxcLine } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { Session } from "../../support/session.ts";

const own = (name: string) => Deno.readLinkSync(`/proc/self/ns/${name}`);

/** The namespaces of a program that is attached with these options. */
async function namespacesOf(
  systems: Systems,
  name: string,
  ...options: string[]
): Promise<Record<string, string>> {
  const text = await systems.ok(
    ...["attach", "-n", name, ...options, "--", "/bin/sh", "-c"] as const,
    "cd /proc/self/ns; for one in mnt pid uts ipc net; do readlink $one; done",
  );
  const links = text.trimEnd().split("\n");
  return Object.fromEntries(["mnt", "pid", "uts", "ipc", "net"].map((one, i) => [one, links[i]!]));
}

Deno.test("a program has the five namespaces of init", async () => {
  await using systems = new Systems();
  systems.add("five");
  await systems.start("five");
  const pid = (await systems.ok("info", "-n", "five", "-pH")).trim();
  const inside = await namespacesOf(systems, "five");
  for (const [name, link] of Object.entries(inside)) {
    assertEquals(link, Deno.readLinkSync(`/proc/${pid}/ns/${name}`));
    assertNotEquals(link, own(name));
  }
});

Deno.test("-s enters some namespaces, and the rest is the caller's", async () => {
  await using systems = new Systems();
  systems.add("some");
  await systems.start("some");
  const pid = (await systems.ok("info", "-n", "some", "-pH")).trim();
  const some = await namespacesOf(systems, "some", "-s", "NETWORK|UTSNAME");
  for (const [name, link] of Object.entries(some)) {
    const isInside = name === "net" || name === "uts";
    assertEquals(link, isInside ? Deno.readLinkSync(`/proc/${pid}/ns/${name}`) : own(name), name);
  }
  const script = `hostname; cat ${systems.rootfs("some")}/etc/passwd`;
  assertEquals(
    await systems.ok("attach", "-n", "some", "-s", "UTSNAME", "--", "/bin/sh", "-c", script),
    "some\nroot:x:0:0:root:/root:/bin/sh\n",
  );
  assertEquals(
    (await systems.run("attach", "-n", "some", "-s", "NONSENSE", "--", "/bin/true")).code,
    1,
  );
});

Deno.test("-R shows the processes of the namespaces that were entered", async () => {
  await using systems = new Systems();
  systems.add("viewed");
  await systems.start("viewed");
  const line = ["--", "/bin/sh", "-c", "echo /proc/[0-9]* | wc -w; ls /sys/class/net"];
  const host = await systems.ok("attach", "-n", "viewed", "-s", "PID|NETWORK", ...line);
  const inside = await systems.ok("attach", "-n", "viewed", "-s", "PID|NETWORK", "-R", ...line);
  const [count = "", ...devices] = inside.trim().split(/\s+/);
  assert(Number(count) < 8, inside);
  assertEquals(devices, ["lo"]);
  assert(Number(host.trim().split(/\s+/)[0]) > Number(count), host);
});

Deno.test("-e gives rights of the caller, all or some", async () => {
  await using systems = new Systems();
  const profile = `${systems.path}/profile`;
  Deno.writeTextFileSync(profile, "2\ndenylist\nacct errno 1\n");
  systems.add("limited", ["lxc.cap.drop = sys_time mknod", `lxc.seccomp.profile = ${profile}`]);
  await systems.start("limited");
  const facts = async (...options: string[]) => {
    const script = "grep -E '^(CapBnd|Seccomp):' /proc/self/status; cat /proc/self/cgroup";
    const text = await systems.ok(
      ...["attach", "-n", "limited", ...options, "--", "/bin/sh", "-c", script] as const,
    );
    const mask = BigInt(`0x${/CapBnd:\s*(\S+)/.exec(text)![1]}`);
    return {
      capabilities: (mask & 1n << 25n) !== 0n,
      unlocked: /Seccomp:\s*0/.test(text),
      // Of the container's own cgroup namespace.
      outside: /:memory:\/\.\.|^0::\/\.\./m.test(text),
    };
  };
  const none = { capabilities: false, unlocked: false, outside: false };
  assertEquals(await facts(), none);
  assertEquals(await facts("-e"), { capabilities: true, unlocked: true, outside: true });
  assertEquals(await facts("-eCAP"), { ...none, capabilities: true });
  assertEquals(await facts("--elevated-privileges=CGROUP"), { ...none, outside: true });
  assertEquals(await facts("-eCAP|LSM"), { capabilities: true, unlocked: true, outside: false });
});

Deno.test("-a is the machine that the program sees", async () => {
  await using systems = new Systems();
  systems.add("machine");
  await systems.start("machine");
  const machine = (...options: string[]) =>
    systems.ok("attach", "-n", "machine", ...options, "--", "/bin/uname", "-m");
  assertEquals(await machine("-a", "i686"), "i686\n");
  assertEquals(await machine("--arch=linux32"), "i686\n");
  assertEquals(await machine(), "x86_64\n");
  assertEquals(
    (await systems.run("attach", "-n", "machine", "-a", "vax", "--", "/bin/true")).code,
    1,
  );
});

Deno.test("-L adds what the terminal shows to a file", async () => {
  await using systems = new Systems();
  systems.add("logged");
  await systems.start("logged");
  const log = `${systems.path}/attach.log`;
  for (const word of ["one", "two"]) {
    const args = ["-P", systems.path, "-n", "logged", "-L", log, "--", "/bin/echo", word];
    await using session = await Session.start(lxcLine("attach", args));
    await session.shows(word);
    assertEquals(await session.end(), 0);
  }
  const text = Deno.readTextFileSync(log).replaceAll("\r", "");
  assertMatch(text, /^one\n/);
  assertMatch(text, /two\n$/);
});

Deno.test("long options may be cut short", async () => {
  await using systems = new Systems();
  systems.add("short");
  await systems.start("short");
  const line = ["-n", "short", "--clear", "--set-v=A=b", "--", "/bin/sh", "-c", "echo $A"];
  assertEquals(await systems.ok("attach", ...line), "b\n");
  assertMatch(await systems.ok("info", "--na", "short", "--pi", "--no"), /^\d+\n$/);
  // What two options begin with is neither.
  assertEquals((await systems.run("attach", "--nam", "short", "--", "/bin/true")).code, 1);
});

Deno.test("a SELinux context does not count where there is no SELinux", async () => {
  await using systems = new Systems();
  systems.add("context");
  await systems.start("context");
  const { code } = await systems.run(
    ...["attach", "-n", "context", "-c", "system_u:system_r:init_t:s0", "--", "/bin/true"] as const,
  );
  assertEquals(code, 0);
});
