/** System containers on a host whose init is systemd: where they are, and that they outlive their starter. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { cgroupTest } from "../../support/cgroups.ts";
import { parentOf } from "../../support/host.ts";
import { lxcLine } from "../../support/lxc.ts";
import { Systems } from "../../support/lxc_system.ts";
import { command } from "../../support/runtime.ts";
import { exists } from "../../support/look.ts";

const LIMITS: Readonly<Record<string, string>> = {
  "memory.max": "67108864",
  "cpuset.cpus": "0",
  "pids.max": "33",
};

async function ok(...line: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(line);
  assertEquals({ code, stderr }, { code: 0, stderr: "" }, line.join(" "));
  return stdout;
}

function cgroupOf(pid: number): string {
  return Deno.readTextFileSync(`/proc/${pid}/cgroup`);
}

cgroupTest("a system container outlives the unit that starts it", ["v2", "systemd"], async () => {
  await using systems = new Systems();
  systems.add("sd-unit");
  const unit = `lxc-test-${Deno.pid}`;
  const start = lxcLine("start", ["-P", systems.path, "-n", "sd-unit"]);
  await ok("systemd-run", "--quiet", "--wait", "--collect", "--unit", unit, ...start);
  assertEquals((await command(["systemctl", "status", unit])).code, 4); // there is none any more
  assertEquals(await systems.state("sd-unit"), "RUNNING");
  const pid = Number(await systems.ok("info", "-n", "sd-unit", "-pH"));
  assertEquals(cgroupOf(pid), "0::/lxc.payload.sd-unit\n");
  assertEquals(cgroupOf(parentOf(pid)), "0::/lxc.monitor.sd-unit\n");
  const tree = await ok("systemctl", "status", "--no-pager");
  assertMatch(tree, /─lxc\.payload\.sd-unit\n[^\n]*\/sbin\/init/);
  await systems.ok("stop", "-n", "sd-unit");
  for (const name of ["lxc.payload.sd-unit", "lxc.monitor.sd-unit"]) {
    assert(!exists(`/sys/fs/cgroup/${name}`), name);
  }
});

cgroupTest("what systemd does leaves its limits alone", ["v2", "systemd"], async () => {
  await using systems = new Systems();
  const lines = Object.entries(LIMITS).map(([file, value]) => `lxc.cgroup2.${file} = ${value}`);
  systems.add("sd-limits", lines);
  await systems.start("sd-limits");
  await ok("systemctl", "daemon-reload");
  const properties = ["-p", "MemoryMax=100M", "-p", "AllowedCPUs=1", "-p", "TasksMax=50"];
  await ok("systemd-run", "--quiet", "--wait", "--collect", ...properties, "true");
  for (const [file, value] of Object.entries(LIMITS)) {
    const held = await systems.ok("cgroup", "-n", "sd-limits", file);
    assertEquals(held.trim(), value, file);
  }
});
