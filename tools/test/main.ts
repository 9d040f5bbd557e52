/**
 * Runs the tests level by level and prints the sum as the last line.
 *
 *     tools/test/main.ts [c|unit|integration|warm|clients|vm]… [PART]      default: all but clients
 *
 * PART, a word with a slash, chooses the files of tests whose path holds it: `unit/plan/`.
 */

import { join, relative } from "@std/path";
import { add, type Count, render } from "./count.ts";
import { changes, type HostState, hostState, RUN_MARK } from "./host_state.ts";
import { countResults, failures, hostTable, parseReport, type Result, unrun } from "./junit.ts";
import { DIST, exists, filesBelow, ROOT } from "../support/paths.ts";
import { fail, inParallel } from "../support/run.ts";
import { testC } from "./c.ts";
import { testVm } from "./vm.ts";

/** Name of the host that this runs on. */
const HERE = "this host";
/** By what they need; all can be asked for. */
export const LEVELS = ["c", "unit", "integration", "warm", "clients", "vm"];
/** Those that need no daemons of others. */
const USUAL = ["c", "unit", "integration", "warm", "vm"];
/** Tests of the integration level that are run once more with a warm brain, which is their level "warm". */
const WARM =
  /^(exec|hooks)\/|^process\/(?!inherited_)|^lifecycle\/(defaults|exit_code|lifecycle|notify|signals|umask)_/;
/** Those with tests that boot a Debian. */
const SYSTEMS = ["integration", "vm"];
/** What a virtual machine has not run by then, counted from the start, is skipped. */
const VM_DEADLINE_MS = 38 * 60_000;
/** A file of tests that takes longer hangs. */
const FILE_TIMEOUT_MS = 15 * 60_000;
/** How long the host may take to become as it was, for cgroups and processes end by themselves. */
const SETTLE_MS = 10_000;
/** What a stopped `deno test` gets to clean up. */
const KILL_AFTER_MS = 10_000;

/**
 * What runs a program with mounts of its own: the tests of the integration level compare those of the
 * host before and after, and somebody else may mount meanwhile. They are shared, as systemd has it.
 */
const OWN_MOUNTS = [
  ...["unshare", "--mount", "--propagation", "private"],
  ...["sh", "-c", 'mount --make-rshared / && exec "$@"', "sh"],
];

const DECODER = new TextDecoder();
/** Tests that share nothing of the host, so that several files run at a time. */
const INDEPENDENT = ["unit"];

/** Runs one file in a process of its own, so that a crash costs that file only. */
async function testFile(path: string, level: string): Promise<Result[]> {
  const isWarm = level === "warm";
  const report = await Deno.makeTempFile({ prefix: "runts-report-" });
  // What the tests of clients print is their table.
  const quiet = level === "clients" ? [] : ["--quiet"];
  const [program = "", ...args] = [
    ...(["integration", "warm"].includes(level) && Deno.uid() === 0 ? OWN_MOUNTS : []),
    ...[Deno.execPath(), "test", "-A", "--no-check", ...quiet, `--junit-path=${report}`, path],
  ];
  const shown = INDEPENDENT.includes(level) ? "piped" : "inherit";
  const env = isWarm ? { RUNTS_TEST_WARM: "1" } : {};
  const child = new Deno.Command(program, { args, env, cwd: ROOT, stdout: shown, stderr: shown })
    .spawn();
  let timedOut = false;
  const timers = [FILE_TIMEOUT_MS, FILE_TIMEOUT_MS + KILL_AFTER_MS].map((delay, i) =>
    setTimeout(() => {
      timedOut = true;
      child.kill(i === 0 ? "SIGINT" : "SIGKILL");
    }, delay)
  );
  const output = shown === "piped" ? await child.output() : undefined;
  const { success } = await child.status;
  timers.forEach(clearTimeout);
  if (output) {
    console.log([output.stdout, output.stderr].map((one) => DECODER.decode(one)).join(""));
  }
  if (timedOut) console.error(`${relative(ROOT, path)}: stopped after ${FILE_TIMEOUT_MS} ms`);
  const xml = await Deno.readTextFile(report);
  await Deno.remove(report);
  return parseReport(xml, {
    host: isWarm ? `${HERE}, warm` : HERE,
    file: relative(ROOT, path),
    success,
  });
}

/** Makes the Debian that tests boot; where it cannot be had, the reason is printed, and they are ignored. */
async function prepareDebian(): Promise<void> {
  const args = ["run", "-A", join(ROOT, "tools", "setup.ts"), "systems"];
  const { success } = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
  if (!success) console.log("no Debian for tests of system containers");
}

async function testLevel(level: string, part: string): Promise<Result[]> {
  if (level === "vm") return await testVm(level, part, VM_DEADLINE_MS);
  const folder = join(ROOT, "tests", level === "warm" ? "integration" : level);
  const all = await exists(folder) ? await filesBelow(folder, "_test.ts") : [];
  const files = level === "warm" ? all.filter((path) => WARM.test(relative(folder, path))) : all;
  const results: Result[] = [];
  const chosen = files.filter((path) => relative(ROOT, path).includes(part));
  const width = INDEPENDENT.includes(level) ? navigator.hardwareConcurrency : 1;
  await inParallel(chosen, width, async (path) => {
    results.push(...await testFile(path, level));
  });
  if (level === "clients") results.push(...await testVm(level, part, Infinity));
  return results;
}

/** The last test of a run: the host is as it was before. */
async function compareHost(before: HostState, mark: string): Promise<Count> {
  const end = performance.now() + SETTLE_MS;
  let found = changes(before, hostState(mark));
  while (found.length > 0 && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    found = changes(before, hostState(mark));
  }
  if (found.length === 0) return { passed: 1, failed: 0, skipped: 0 };
  console.error(["\nthe host is not as it was before the tests:", ...found].join("\n  "));
  return { passed: 0, failed: 1, skipped: 0 };
}

async function main(args: string[]): Promise<void> {
  const part = args.find((arg) => arg.includes("/")) ?? "";
  const named = args.filter((arg) => arg !== part);
  const levels = named.length > 0 ? named : USUAL;
  const unknown = levels.find((level) => !LEVELS.includes(level));
  if (unknown !== undefined) fail(`no level "${unknown}": ${LEVELS.join(", ")}`);
  await Deno.mkdir(DIST, { recursive: true });
  const mark = crypto.randomUUID();
  Deno.env.set(RUN_MARK, mark);
  const before = hostState(mark);
  if (SYSTEMS.some((level) => levels.includes(level)) && Deno.uid() === 0) await prepareDebian();
  const all: Result[] = [];
  const c: Count = { passed: 0, failed: 0, skipped: 0 };
  for (const level of levels) {
    console.log(`\n== ${level} ==`);
    const start = performance.now();
    if (level === "c") add(c, await testC());
    const results = level === "c" ? [] : await testLevel(level, part);
    all.push(...results);
    const sum = render(level === "c" ? c : countResults(results));
    console.log(`${level}: ${sum} (${Math.round((performance.now() - start) / 1000)} s)`);
  }
  // What one host ignores for want of something, another may have run.
  if (new Set(all.map(({ host }) => host)).size > 1) console.log(`\n${hostTable(all)}`);
  for (const name of unrun(all)) console.log(`skipped: ${name}`);
  for (const name of failures(all)) console.log(`failed: ${name}`);
  const sum = countResults(all);
  add(sum, c);
  add(sum, await compareHost(before, mark));
  console.log(`\n${render(sum)}`);
  Deno.exit(sum.failed === 0 ? 0 : 1);
}

if (import.meta.main) await main(Deno.args);
