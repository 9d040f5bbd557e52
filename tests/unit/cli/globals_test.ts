import { assertEquals, assertThrows } from "@std/assert";
import { runtimeSettings } from "../../../lib/cli/globals.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { ProcessCaller } from "../../../lib/runtime/process_caller.ts";

const CALLER = new ProcessCaller();

Deno.test("runtimeSettings() makes the root absolute", () => {
  assertEquals(runtimeSettings(CALLER, { root: "/a/b/" }).root, "/a/b");
  assertEquals(runtimeSettings(CALLER, { root: "b" }).root, `${Deno.cwd()}/b`);
  assertEquals(runtimeSettings(CALLER, { root: "/" }).root, "/");
});

Deno.test("runtimeSettings() knows who makes the cgroups", () => {
  const manager = (values: Parameters<typeof runtimeSettings>[1]) =>
    runtimeSettings(CALLER, { root: "/r", ...values }).cgroupManager;
  assertEquals(manager({}), undefined);
  assertEquals(manager({ systemdCgroup: true }), "systemd");
  assertEquals(manager({ systemdCgroup: false }), undefined);
  assertEquals(manager({ cgroupManager: "disabled" }), "disabled");
  assertEquals(manager({ systemdCgroup: true, cgroupManager: "systemd" }), "systemd");
});

Deno.test("runtimeSettings() refuses two managers", () => {
  assertThrows(
    () => runtimeSettings(CALLER, { root: "/r", systemdCgroup: true, cgroupManager: "cgroupfs" }),
    RuntsError,
    '--systemd-cgroup contradicts --cgroup-manager "cgroupfs"',
  );
});

Deno.test("runtimeSettings() reads --rootless", () => {
  const rootless = (value: "auto" | "true" | "false") =>
    runtimeSettings(CALLER, { root: "/r", rootless: value }).rootless;
  assertEquals([rootless("auto"), rootless("true"), rootless("false")], ["auto", true, false]);
  assertEquals(runtimeSettings(CALLER, { root: "/r" }).rootless, "auto");
});
