/**
 * Tests of tests/integration on hosts that this one is not: virtual machines with systemd as init,
 * which tests/vm/run.sh starts.
 */

import { basename, join, relative } from "@std/path";
import { parseReport, type Result } from "./junit.ts";
import { EXECUTABLE, exists, filesBelow, ROOT } from "./paths.ts";
import { output, run } from "./run.ts";

const RUN = join(ROOT, "tests", "vm", "run.sh");
/** What the tests of one host may take. */
const TIMEOUT_S = 900;

/** A host in a virtual machine: options of run.sh, and which files of tests are for it. */
interface Host {
  name: string;
  options: string[];
  files: RegExp;
}

const HOSTS: Host[] = [
  { name: "vm, cgroup v2", options: [], files: /^(cgroup|lifecycle|rootless)_/ },
  { name: "vm, hybrid", options: ["--hybrid"], files: /^cgroup_systemd_/ },
  { name: "vm, session of a user", options: ["--user"], files: /^session_/ },
];

/**
 * Runs the files whose path holds `part`, or tells why that cannot be: then each counts as one
 * ignored test.
 */
export async function testVm(part: string): Promise<Result[]> {
  const all = await filesBelow(join(ROOT, "tests", "integration"), "_test.ts");
  const filesOf = ({ files }: Host) =>
    all.filter((path) => files.test(basename(path)))
      .map((path) => relative(ROOT, path))
      .filter((path) => path.includes(part));
  const reason = await obstacle();
  if (reason !== undefined) {
    console.log(`no virtual machine: ${reason}`);
    const name = "in the virtual machine";
    return HOSTS.flatMap((host) =>
      filesOf(host).map((file) => ({ host: host.name, file, name, outcome: "ignored" }))
    );
  }
  const share = await stage();
  try {
    const results: Result[] = [];
    for (const host of HOSTS) results.push(...await testHost(host, filesOf(host), share));
    return results;
  } finally {
    await Deno.remove(share, { recursive: true });
  }
}

/** Installs what is needed and makes the image; the reason if that fails. */
async function obstacle(): Promise<string | undefined> {
  try {
    await run(Deno.execPath(), ["run", "-A", join(ROOT, "tools", "setup.ts"), "vm"]);
    await run(RUN, ["--", "true"]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The folder that a guest gets: the project, the executables, and modules from the cache. */
async function stage(): Promise<string> {
  const share = await Deno.makeTempDir({ prefix: "runts-vm-" });
  const names = ["deno.json", "deno.lock", "main.ts", "mod.ts", "lib", "ffi", "tests"];
  await Deno.mkdir(join(share, "project", "dist"), { recursive: true });
  const copy = (from: string[], to: string) => run("cp", ["-r", ...from, join(share, to)]);
  await copy(names.map((name) => join(ROOT, name)), "project");
  await copy([EXECUTABLE], "project/dist");
  await copy([Deno.execPath()], "deno");
  const { denoDir } = JSON.parse(await output(Deno.execPath(), ["info", "--json"]));
  await Deno.mkdir(join(share, "cache"));
  const modules = join(denoDir, "npm");
  if (await exists(modules)) await copy([modules], "cache");
  // Users of the guest are others than the one here.
  await run("chmod", ["-R", "a+rX", share]);
  await run("chmod", ["-R", "a+w", join(share, "cache")]);
  return share;
}

async function testHost(host: Host, files: string[], share: string): Promise<Result[]> {
  if (files.length === 0) return [];
  console.log(`\n${host.name}:`);
  const timeout = ["--timeout", String(TIMEOUT_S)];
  const child = new Deno.Command(RUN, {
    args: [...host.options, ...timeout, "--share", share, "project/tests/vm/guest/test", ...files],
    stdout: "piped",
    stderr: "inherit",
  });
  const { code, stdout } = await child.output();
  if (code !== 0) console.error(`${host.name}: run.sh ended with code ${code}`);
  const reports = new Map(sections(new TextDecoder().decode(stdout)));
  return files.flatMap((file) => {
    // None: the time was over before, or the machine has died.
    const { xml, success } = reports.get(file) ?? { xml: "", success: false };
    return parseReport(xml, { host: host.name, file, success });
  });
}

/** Reports by file, out of what tests/vm/guest/test prints. */
function sections(text: string): [file: string, report: { xml: string; success: boolean }][] {
  const [, ...parts] = text.split(/^<!-- (\d+) (.*) -->$/m);
  const count = parts.length / 3;
  return Array.from({ length: count }, (_, index) => {
    const [code = "", file = "", xml = ""] = parts.slice(3 * index);
    return [file, { xml, success: code === "0" }];
  });
}
