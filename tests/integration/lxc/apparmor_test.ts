/** Profiles of AppArmor, on a host that has it switched on: the virtual machine. */

import { assertEquals, assertMatch } from "@std/assert";
import { exists } from "../../support/look.ts";
import { Systems } from "../../support/lxc_system.ts";

const KERNEL = "/sys/kernel/security/apparmor";
const OPTIONS = { ignore: !exists(KERNEL) };

/** Names of profiles that are loaded. */
function loaded(): string[] {
  return Deno.readTextFileSync(`${KERNEL}/profiles`).trim().split("\n");
}

/** What a shell says of a command that is refused. */
async function refusal(systems: Systems, name: string, script: string): Promise<string> {
  const { code, stderr } = await systems.run("attach", "-n", name, "--", "/bin/sh", "-c", script);
  assertEquals(code === 0, false, script);
  return stderr;
}

Deno.test("a profile is made for a container, and goes with it", OPTIONS, async () => {
  await using systems = new Systems();
  systems.add("aa-own", [
    "lxc.mount.auto = proc:rw sys:rw",
    "lxc.apparmor.profile = generated",
    "lxc.apparmor.raw = deny /tmp/secret w,",
  ]);
  await systems.start("aa-own");
  const profile = `lxc-aa-own_<${systems.path}> (enforce)`;
  assertEquals(
    await systems.inside("aa-own", "cat /proc/1/attr/current /proc/self/attr/current"),
    `${profile}\n${profile}\n`,
  );
  assertEquals(loaded().includes(profile), true);
  await systems.inside("aa-own", "touch /tmp/other; mount -t tmpfs none /usr");
  for (
    const script of [
      "touch /tmp/secret",
      "echo h >/proc/sysrq-trigger",
      "echo x >/proc/sys/kernel/core_pattern",
      "mount -t debugfs none /usr",
    ]
  ) assertMatch(await refusal(systems, "aa-own", script), /[Pp]ermission denied/, script);
  await systems.ok("stop", "-n", "aa-own");
  assertEquals(loaded().includes(profile), false);
});

Deno.test(
  "a start with a wrong line in its profile is told, and leaves nothing",
  OPTIONS,
  async () => {
    await using systems = new Systems();
    systems.add("aa-wrong", [
      "lxc.apparmor.profile = generated",
      "lxc.apparmor.raw = nonsense here",
    ]);
    const { code, stderr } = await systems.run("start", "-n", "aa-wrong");
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /aa-wrong\/config:8: lxc\.apparmor\.profile: apparmor_parser --replace: ".*error.*"/,
    );
    assertEquals(loaded().filter((line) => line.includes("aa-wrong")), []);
    assertEquals(await systems.state("aa-wrong"), "STOPPED");
  },
);

Deno.test("without confinement there is no profile", OPTIONS, async () => {
  await using systems = new Systems();
  systems.add("aa-none");
  await systems.start("aa-none");
  assertEquals(await systems.inside("aa-none", "cat /proc/1/attr/current"), "unconfined\n");
});
