/** Containers of an ordinary user, from within the user's own login session. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { cgroupsOf, cgroupTest, held } from "../../support/cgroups.ts";
import { exists } from "../../support/look.ts";
import { command, RUNTIME, until } from "../../support/runtime.ts";

const MiB = 2 ** 20;
const SCOPE = ["systemd-run", "--user", "--scope", "--quiet", "-p", "Delegate=yes"];

/** Runs a part of runts that must succeed; gives standard output. */
async function ok(...line: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(line);
  assertEquals({ code, stderr }, { code: 0, stderr: "" }, line.join(" "));
  return stdout;
}

/** A bundle as `spec --rootless` begins it. */
async function userBundle(edit: (config: Config) => void): Promise<Bundle> {
  const bundle = new Bundle();
  const file = `${bundle.path}/config.json`;
  Deno.removeSync(file);
  await ok(RUNTIME, "spec", "--rootless", "--bundle", bundle.path);
  const config = JSON.parse(Deno.readTextFileSync(file));
  config.process.terminal = false;
  edit(config);
  bundle.save(JSON.stringify(config));
  return bundle;
}

function sleeping(config: Config): void {
  config.process.args = ["sleep", "1000"];
  config.linux.resources = {
    memory: { limit: 96 * MiB, swap: 128 * MiB },
    cpu: { quota: 25500, period: 50000, cpus: "0" },
    pids: { limit: 33 },
  };
}

function limits(pid: number): string[] {
  const names = ["memory.max", "memory.swap.max", "cpu.max", "cpuset.cpus", "pids.max"];
  return names.map((name) => held(pid, "", name));
}

const LIMITS = [String(96 * MiB), String(32 * MiB), "25500 50000", "0", "33"];

cgroupTest("run in the foreground", ["v2", "session"], async () => {
  using bundle = await userBundle((config) => config.process.args = ["id", "-u"]);
  assertEquals(await ok(RUNTIME, "run", "--bundle", bundle.path, `t${Deno.pid}-run`), "0\n");
});

cgroupTest("with systemd, a user's limits hold", ["v2", "session"], async () => {
  using bundle = await userBundle(sleeping);
  const id = `t${Deno.pid}-scope`;
  await ok(RUNTIME, "--systemd-cgroup", "run", "--detach", "--bundle", bundle.path, id);
  const { pid, status } = JSON.parse(await ok(RUNTIME, "state", id));
  assertEquals(status, "running");
  const path = cgroupsOf(pid)[""] ?? "";
  assertStringIncludes(path, `/user@${Deno.uid()}.service/user.slice/runts-${id}.scope`);
  assertEquals(limits(pid), LIMITS);
  await ok("systemctl", "--user", "daemon-reload");
  assertEquals(limits(pid), LIMITS);
  assertStringIncludes(await ok(RUNTIME, "exec", id, "cat", "/proc/self/cgroup"), "0::/");
  Deno.mkdirSync(`${path}/sub`);
  const words = ["exec", "--cgroup", "sub", id, "cat", "/proc/self/cgroup"];
  assertMatch(await ok(RUNTIME, ...words), /^0::\/(.*\/)?sub$/m);
  const stats = JSON.parse(await ok(RUNTIME, "events", "--stats", id));
  assertEquals(stats.data.pids.limit, 33);
  await ok(RUNTIME, "pause", id);
  await ok(RUNTIME, "resume", id);
  await ok(RUNTIME, "delete", "--force", id);
  assertEquals(exists(path), false);
});

cgroupTest("without systemd, limits hold in a delegated scope", ["v2", "session"], async () => {
  using bundle = await userBundle(sleeping);
  const id = `t${Deno.pid}-delegated`;
  // In the foreground: controllers of a scope that has ended are switched off.
  const line = [...SCOPE, RUNTIME, "run", "--bundle", bundle.path, id];
  const running = command(line, { timeout: 60_000 });
  const state = async () => {
    const { code, stdout } = await command([RUNTIME, "state", id]);
    return code === 0 ? JSON.parse(stdout) : {};
  };
  await until("it runs", async () => (await state()).status === "running", 30_000);
  const { pid } = await state();
  const path = cgroupsOf(pid)[""] ?? "";
  assertMatch(path, new RegExp(`/user@${Deno.uid()}\\.service/.*/${id}$`));
  assertEquals(limits(pid), LIMITS);
  await ok(RUNTIME, "update", "--pids-limit", "12", id);
  assertEquals(held(pid, "", "pids.max"), "12");
  await ok(RUNTIME, "kill", id, "KILL");
  assertEquals((await running).code, 137);
  assertEquals(exists(path), false);
});

cgroupTest("ids of the user's ranges are mapped", ["v2", "session"], async () => {
  using bundle = await userBundle((config) => {
    config.process.args = ["cat", "/proc/self/uid_map"];
    delete config.linux.uidMappings;
    delete config.linux.gidMappings;
  });
  const map = await ok(RUNTIME, "run", "--bundle", bundle.path, `t${Deno.pid}-ids`);
  const rows = map.trim().split("\n").map((line) => line.trim().split(/\s+/));
  assertEquals(rows.length, 2);
  assertEquals(rows[0], ["0", String(Deno.uid()), "1"]);
  assertEquals(rows[1]?.[0], "1");
});
