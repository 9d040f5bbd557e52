/**
 * Tests of tests/integration on hosts that this one is not: virtual machines with systemd as init,
 * which tests/vm/run.sh starts.
 */

import { join, relative } from "@std/path";
import { DEBIAN } from "../../tests/support/debian_tree.ts";
import { buildPayload } from "../../tests/support/payload.ts";
import { parseReport, type Result } from "./junit.ts";
import { DIST, EXECUTABLE, exists, filesBelow, HELPER, ROOT } from "../support/paths.ts";
import { inParallel, output, run } from "../support/run.ts";

/** Runs a command in a virtual machine; how is at the top of the script. */
export const RUN = join(ROOT, "tests", "vm", "run.sh");
/** What the tests of one host may take; a machine that takes longer hangs. */
const TIMEOUT_S = 1500;
/** What a machine or a setup that is told to end gets for it. */
const KILL_AFTER_S = 20;
/** What "deno task dist" makes, and where tests look for it. */
const RELEASE = join(DIST, "release");
/** What the build makes, in the folder that a guest gets. */
const IN_SHARE = "project/dist";
/** Programs of tests/payload that tests in a machine use: it has no compiler. */
const PAYLOADS = ["payload", "caller"];
/** Exit code of "timeout", and of run.sh, for what has run out of time. */
const OUT_OF_TIME = 124;

/** A host in a virtual machine: options of run.sh, and which files of tests are for it, by their path in the level. */
interface Host {
  name: string;
  level: Level;
  options: string[];
  files: RegExp[];
  /** Others, which run there where a part is asked for: for the sake of time. */
  asked?: RegExp[];
  /** Among so many machines the files are divided, otherwise one has them all. */
  machines?: number | undefined;
  /** They look at what is released, which is made anew. */
  release?: true;
}

/** Tests of the integration level are the level "vm". */
type Level = "vm" | "clients";
const FOLDERS: Record<Level, string> = { vm: "integration", clients: "clients" };

const PODMAN = ["--with", "podman catatonit"];
/** All that a package is tried with. */
const CLIENTS = ["--with", "criu podman catatonit containerd docker.io"];
/** CRIU of Debian 12 knows this kernel; it locks networks by iptables. Hosts with the same packages share images. */
const CRIU = ["--with", "criu iptables"];

const HOSTS: Host[] = [
  {
    name: "vm, cgroup v2",
    level: "vm",
    options: CRIU,
    files: [
      /^(cgroup|rootless)\/(?!session_)/,
      /^lxc\/(apparmor|checkpoint|debian|nested|rootless|states|systemd|virtual_devices)_/,
      /^lifecycle\/(lifecycle_|apparmor_|prepared_(void_)?test)/,
      /^supervision\/(systemd|wait)_|^warm\/systemd_|^checkpoint\/(checkpoint|library)_/,
    ],
    asked: [
      /^lifecycle\/prepared_same_/,
      /^lxc\/(?!list_|runts_|update_|values_)/,
      /^warm\/(same|who)_/,
      /^checkpoint\//,
    ],
    machines: 2,
  },
  {
    name: "vm, session of a user",
    level: "vm",
    options: [...CRIU, "--user"],
    files: [/^rootless\/session_/],
  },
  {
    name: "vm, hybrid",
    level: "vm",
    options: [...CRIU, "--hybrid"],
    files: [
      /^cgroup\/(foreign|held|limits|systemd)_/,
      /^lxc\/states_|^supervision\/systemd_|^checkpoint\/checkpoint_/,
    ],
    asked: [/^checkpoint\//],
  },
  { name: "vm, podman", level: "clients", options: PODMAN, files: [/^podman_systemd_/] },
  {
    name: "vm, package",
    level: "clients",
    options: CLIENTS,
    files: [/^package_/, /^shim_systemd_/],
    release: true,
  },
  {
    name: "vm, podman in a session",
    level: "clients",
    options: [...PODMAN, "--user"],
    files: [/^podman_session_/],
  },
];

/** What one machine has to do. */
interface Work {
  /** Before each line that it prints. */
  name: string;
  host: Host;
  files: string[];
}

/**
 * Runs a level's files whose path holds `part` until `deadline`, in milliseconds of `performance.now()`.
 * Where there can be no machine, or no longer, the reason is printed, and each file counts as one
 * ignored test.
 */
export async function testVm(level: Level, part: string, deadline: number): Promise<Result[]> {
  const folder = join(ROOT, "tests", FOLDERS[level]);
  const all = await filesBelow(folder, "_test.ts");
  const results: Result[] = [];
  const works: Work[] = [];
  for (const host of HOSTS.filter((host) => host.level === level)) {
    const isFor = ({ files, asked }: Host, path: string) =>
      [...files, ...(part === "" ? [] : asked ?? [])].some((one) => one.test(path));
    const files = all.filter((path) => isFor(host, relative(folder, path)))
      .map((path) => relative(ROOT, path))
      .filter((path) => path.includes(part));
    if (files.length === 0) continue;
    const reason = await obstacle(host, deadline);
    if (reason === undefined) works.push(...divide(host, files));
    else {
      console.log(`\n${host.name}: no virtual machine: ${reason}`);
      results.push(...files.map((file) => notRun(host, file)));
    }
  }
  if (works.length > 0) results.push(...await testHosts(works, deadline));
  return results;
}

/** In turn, so that each machine gets some of every subject. */
export function divide(host: Host, files: readonly string[]): Work[] {
  const count = Math.min(host.machines ?? 1, files.length);
  return Array.from({ length: count }, (_, machine) => ({
    name: count === 1 ? host.name : `${host.name}, ${machine + 1} of ${count}`,
    host,
    files: files.filter((_, index) => index % count === machine),
  }));
}

/** As many at a time as there are processors: a machine has little to do for a second one. */
async function testHosts(works: readonly Work[], deadline: number): Promise<Result[]> {
  const share = await stage();
  try {
    if (works.some(({ host }) => host.release)) {
      await run("cp", ["-r", RELEASE, join(share, IN_SHARE)]);
    }
    const results: Result[] = [];
    await inParallel(works, navigator.hardwareConcurrency, async (work) => {
      results.push(...await testHost(work, share, deadline));
    });
    return results;
  } finally {
    await Deno.remove(share, { recursive: true });
  }
}

function notRun(host: Host, file: string): Result {
  return {
    host: host.name,
    file,
    name: `in the virtual machine (${host.name})`,
    outcome: "ignored",
  };
}

/** Installs what is needed and makes the image and what is released; the reason if that fails. */
async function obstacle(host: Host, deadline: number): Promise<string | undefined> {
  const tool = (
    name: string,
    ...words: string[]
  ) => [Deno.execPath(), "run", "-A", join(ROOT, "tools", name), ...words];
  const lines = [
    tool("setup.ts", "vm"),
    [RUN, ...host.options, "--", "true"],
    ...(host.release ? [tool("dist.ts")] : []),
  ];
  for (const line of lines) {
    const { code } = await within(deadline, line, host.name);
    if (code === OUT_OF_TIME) return "deadline";
    if (code !== 0) return `"${line.join(" ")}" ended with code ${code}`;
  }
  return undefined;
}

/**
 * Runs a command until a deadline; it ends with this process, too. What it says on its standard error is
 * printed at once, with `name` before each line.
 */
async function within(
  deadline: number,
  line: readonly string[],
  name: string,
): Promise<{ code: number; stdout: string }> {
  const seconds = Math.ceil((deadline - performance.now()) / 1000);
  if (seconds <= 0) return { code: OUT_OF_TIME, stdout: "" };
  const limit = ["timeout", `--kill-after=${KILL_AFTER_S}`, String(seconds)];
  const child = new Deno.Command("setpriv", {
    args: ["--pdeathsig", "TERM", ...limit, ...line],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [{ code }, stdout] = await Promise.all([
    child.status,
    child.stdout.text(),
    printLines(child.stderr, name),
  ]);
  return { code, stdout };
}

async function printLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>, name: string) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) console.error(`${name}: ${line}`);
  }
  if (rest !== "") console.error(`${name}: ${rest}`);
}

/** The folder that a guest gets: the project, executables, modules from the cache, and a Debian. */
export async function stage(): Promise<string> {
  const share = await Deno.makeTempDir({ prefix: "runts-vm-" });
  const names = [
    "deno.json",
    "deno.lock",
    "main.ts",
    "mod.ts",
    "verbs.ts",
    "lib",
    "ffi",
    "tests",
    "packaging",
  ];
  await Deno.mkdir(join(share, IN_SHARE), { recursive: true });
  const copy = (from: string[], to: string) => run("cp", ["-r", ...from, join(share, to)]);
  await copy(names.map((name) => join(ROOT, name)), "project");
  await copy([EXECUTABLE, HELPER], IN_SHARE);
  await copy([Deno.execPath()], "deno");
  await Deno.mkdir(join(share, "payloads"));
  for (const name of PAYLOADS) {
    const path = join(share, "payloads", name);
    await Deno.writeFile(path, await buildPayload(name), { mode: 0o755 });
  }
  const { denoDir } = JSON.parse(await output(Deno.execPath(), ["info", "--json"]));
  await Deno.mkdir(join(share, "cache"));
  const modules = join(denoDir, "npm");
  if (await exists(modules)) await copy([modules], "cache");
  // Users of the guest are others than the one here.
  await run("chmod", ["-R", "a+rX", share]);
  await run("chmod", ["-R", "a+w", join(share, "cache")]);
  if (await exists(DEBIAN)) await run("cp", ["-a", DEBIAN, join(share, "debian")]);
  return share;
}

async function testHost(
  { name, host, files }: Work,
  share: string,
  deadline: number,
): Promise<Result[]> {
  const options = [...host.options, "--timeout", String(TIMEOUT_S), "--share", share];
  const line = [RUN, ...options, "project/tests/vm/guest/test", ...files];
  const { code, stdout } = await within(deadline, line, name);
  const late = code === OUT_OF_TIME && performance.now() >= deadline;
  if (late) console.log(`${name}: deadline`);
  else if (code !== 0) console.error(`${name}: run.sh ended with code ${code}`);
  const reports = new Map(sections(stdout));
  return files.flatMap((file) => {
    const report = reports.get(file);
    if (report === undefined && late) return [notRun(host, file)];
    // None: its time was over before, or the machine has died.
    const { xml, success } = report ?? { xml: "", success: false };
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
