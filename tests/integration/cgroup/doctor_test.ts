/** doctor: what it says is what there is, here and inside a container. */

import { assert, assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { command, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";

interface Finding {
  readonly area: string;
  readonly name: string;
  readonly condition: "works" | "note" | "missing";
  readonly found: string;
  readonly effect?: string;
  readonly remedy?: string;
}

interface Report {
  readonly code: number;
  readonly works: boolean;
  readonly findings: readonly Finding[];
}

async function doctor(...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await command([RUNTIME, "doctor", "--json", ...args]);
  assertEquals(stderr, "");
  return { code, ...JSON.parse(stdout) };
}

function named({ findings }: Report, name: string): Finding {
  const found = findings.find((finding) => finding.name === name);
  assert(found !== undefined, `nothing is said of ${name}`);
  return found;
}

function conditionFor(isThere: boolean): string {
  return isThere ? "works" : "missing";
}

function has(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

Deno.test("doctor tells what this host has", RUNTS_ONLY, async () => {
  const report = await doctor();
  const missing = report.findings.filter(({ condition }) => condition === "missing");
  assertEquals(report.works, missing.length === 0);
  assertEquals(report.code, missing.length === 0 ? 0 : 1);
  for (const { name, effect, remedy } of missing) assert(effect && remedy, name);
  const isUnified = has("/sys/fs/cgroup/cgroup.controllers");
  assertEquals(named(report, "layout").condition, conditionFor(isUnified));
  const isSystemd = has("/run/systemd/private");
  assertEquals(named(report, "systemd").condition, conditionFor(isSystemd));
  const { code } = await command(["sh", "-c", "command -v criu"]);
  assertEquals(named(report, "criu").condition, conditionFor(code === 0));
  assertEquals(named(report, "seccomp").condition, "works");
  assertEquals(named(report, "release").found, `Linux ${Deno.osRelease()}`);
});

Deno.test("doctor looks at what it is asked for alone, and exits by that", RUNTS_ONLY, async () => {
  const report = await doctor("--criu", "/bin/true", "tools");
  assertEquals([...new Set(report.findings.map(({ area }) => area))], ["tools"]);
  assertEquals(named(report, "criu"), {
    area: "tools",
    name: "criu",
    condition: "works",
    found: "/bin/true",
  });
  const without = await doctor("--criu", "/nowhere/criu", "tools");
  assertEquals([without.code, named(without, "criu").found], [1, "no /nowhere/criu"]);
  assertEquals(await command([RUNTIME, "doctor", "toools"]), {
    code: 1,
    stdout: "",
    stderr: 'runts: doctor: AREA "toools" is not one of kernel, cgroups, users, security, tools: ' +
      'see "runts doctor --help"\n',
  });
});

Deno.test("doctor prints marks and remedies for people", RUNTS_ONLY, async () => {
  const { code, stdout } = await command([RUNTIME, "doctor", "--criu", "/nowhere/criu", "tools"]);
  assertEquals(code, 1);
  const lines = stdout.split("\n");
  const place = lines.findIndex((line) => line.startsWith("  - criu "));
  assertEquals(lines.slice(place + 1, place + 3).map((line) => line.trim()), [
    "containers cannot be checkpointed and restored",
    "remedy: install the package criu, or name it: --criu PATH",
  ]);
});

Deno.test("inside a container doctor tells what that has", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      config.root = { path: "/", readonly: true };
      config.process.args = [RUNTIME, "doctor", "--json"];
      config.process.env = ["PATH=/nowhere"];
      config.linux.maskedPaths = ["/proc/pressure"];
      config.mounts.push({ destination: "/run", type: "tmpfs", source: "tmpfs" });
    });
    const id = runtime.id();
    const { code, stdout, stderr } = await runtime.run(["run", "--bundle", bundle.path, id]);
    assertEquals({ code, stderr }, { code: 1, stderr: "" });
    const report: Report = { code, ...JSON.parse(stdout) };
    const missing = ["pressure", "systemd", "criu", "ps"];
    for (const name of missing) assertEquals(named(report, name).condition, "missing", name);
    assertEquals(named(report, "release").condition, "works");
  });
});
