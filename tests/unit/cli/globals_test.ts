import { assertEquals, assertThrows } from "@std/assert";
import { globalOptions } from "../../../lib/cli/globals.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

Deno.test("globalOptions() makes the root absolute", () => {
  assertEquals(globalOptions({ root: "/a/b/" }).root, "/a/b");
  assertEquals(globalOptions({ root: "b" }).root, `${Deno.cwd()}/b`);
  assertEquals(globalOptions({ root: "/" }).root, "/");
});

Deno.test("globalOptions() knows who makes the cgroups", () => {
  const manager = (values: Parameters<typeof globalOptions>[0]) =>
    globalOptions({ root: "/r", ...values }).cgroupManager;
  assertEquals(manager({}), undefined);
  assertEquals(manager({ systemdCgroup: true }), "systemd");
  assertEquals(manager({ systemdCgroup: false }), undefined);
  assertEquals(manager({ cgroupManager: "disabled" }), "disabled");
  assertEquals(manager({ systemdCgroup: true, cgroupManager: "systemd" }), "systemd");
});

Deno.test("globalOptions() refuses two managers", () => {
  assertThrows(
    () => globalOptions({ root: "/r", systemdCgroup: true, cgroupManager: "cgroupfs" }),
    RuntsError,
    '--systemd-cgroup contradicts --cgroup-manager "cgroupfs"',
  );
});

Deno.test("globalOptions() reads --rootless", () => {
  const rootless = (value: "auto" | "true" | "false") =>
    globalOptions({ root: "/r", rootless: value }).rootless;
  assertEquals([rootless("auto"), rootless("true"), rootless("false")], ["auto", true, false]);
  assertEquals(globalOptions({ root: "/r" }).rootless, "auto");
});
