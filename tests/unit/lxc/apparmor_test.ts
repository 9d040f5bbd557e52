import { assertEquals } from "@std/assert";
import { profileName, profileText } from "../../../lib/lxc/plan/apparmor.ts";
import type { SystemPlan } from "../../../lib/lxc/plan/types.ts";

/** What the profile depends on of a plan. */
function planOf(nesting: boolean, mapped: boolean, raw: readonly string[]): SystemPlan {
  const uidMappings = mapped ? [{ containerID: 0, hostID: 100_000, size: 65_536 }] : [];
  return {
    name: "web",
    directory: "/var/lib/lxc/web",
    spec: { linux: { uidMappings } },
    beyond: { security: { apparmor: { profile: "generated", nesting, raw } } },
  } as unknown as SystemPlan;
}

Deno.test("a profile is called as LXC calls it", () => {
  assertEquals(profileName(planOf(false, false, [])), "lxc-web_</var/lib/lxc>");
});

Deno.test("a profile denies what changes the kernel, and has the lines of the configuration", () => {
  const lines = (plan: SystemPlan) =>
    profileText(plan).trimEnd().split("\n").map((line) => line.trim());
  const plain = lines(planOf(false, false, ["deny /secret w,"]));
  assertEquals(
    plain[0],
    'profile "lxc-web_</var/lib/lxc>" flags=(attach_disconnected,mediate_deleted) {',
  );
  assertEquals(plain.slice(-2), ["deny /secret w,", "}"]);
  assertEquals(plain.includes("deny /{,**/}sysrq-trigger rwklx,"), true);
  assertEquals(plain.some((line) => line.startsWith("deny mount fstype={configfs,")), true);
  assertEquals(plain.includes("change_profile,"), false);
  const nested = lines(planOf(true, true, []));
  assertEquals(nested.includes("change_profile,"), true);
  assertEquals(nested.some((line) => line.startsWith("deny mount")), false);
});
