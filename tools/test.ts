/**
 * Runs the tests level by level and prints the sum as the last line.
 *
 *     tools/test.ts [c|unit|integration|clients|vm]… [PART]      default: all levels
 *
 * PART, a word with a slash, chooses the files of tests whose path holds it: `unit/plan_`.
 */

import { join, relative } from "@std/path";
import { add, type Count, render } from "./count.ts";
import { DIST, exists, filesBelow, ROOT } from "./paths.ts";
import { fail } from "./run.ts";
import { testC } from "./test_c.ts";

const LEVELS = ["c", "unit", "integration", "clients", "vm"];
/** A file of tests that takes longer hangs. */
const FILE_TIMEOUT_MS = 15 * 60_000;
/** What a stopped `deno test` gets to clean up. */
const KILL_AFTER_MS = 10_000;

/** Sums up a report in JUnit's format as `deno test` writes it. */
export function countReport(xml: string): Count {
  const sum = (name: string) =>
    xml.matchAll(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`, "g"))
      .reduce((total, match) => total + Number(match[1]), 0);
  const failed = sum("failures") + sum("errors");
  const skipped = sum("disabled");
  return { passed: sum("tests") - failed - skipped, failed, skipped };
}

/** Runs one file in a process of its own, so that a crash costs that file only. */
async function testFile(path: string): Promise<Count> {
  const report = await Deno.makeTempFile({ prefix: "runts-report-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--quiet", `--junit-path=${report}`, path],
    cwd: ROOT,
  }).spawn();
  let timedOut = false;
  const timers = [FILE_TIMEOUT_MS, FILE_TIMEOUT_MS + KILL_AFTER_MS].map((delay, i) =>
    setTimeout(() => {
      timedOut = true;
      child.kill(i === 0 ? "SIGINT" : "SIGKILL");
    }, delay)
  );
  const { success } = await child.status;
  timers.forEach(clearTimeout);
  if (timedOut) console.error(`${relative(ROOT, path)}: stopped after ${FILE_TIMEOUT_MS} ms`);
  const count = countReport(await Deno.readTextFile(report));
  await Deno.remove(report);
  // A file that does not load, or crashes, is in no report.
  if (!success && count.failed === 0) count.failed++;
  return count;
}

async function testLevel(level: string, part: string): Promise<Count> {
  if (level === "c") return await testC();
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
  const folder = join(ROOT, "tests", level);
  const files = await exists(folder) ? await filesBelow(folder, "_test.ts") : [];
  for (const path of files) {
    if (relative(ROOT, path).includes(part)) add(count, await testFile(path));
  }
  return count;
}

async function main(args: string[]): Promise<void> {
  const part = args.find((arg) => arg.includes("/")) ?? "";
  const named = args.filter((arg) => arg !== part);
  const levels = named.length > 0 ? named : LEVELS;
  const unknown = levels.find((level) => !LEVELS.includes(level));
  if (unknown !== undefined) fail(`no level "${unknown}": ${LEVELS.join(", ")}`);
  await Deno.mkdir(DIST, { recursive: true });
  const sum: Count = { passed: 0, failed: 0, skipped: 0 };
  for (const level of levels) {
    console.log(`\n== ${level} ==`);
    const count = await testLevel(level, part);
    console.log(`${level}: ${render(count)}`);
    add(sum, count);
  }
  console.log(`\n${render(sum)}`);
  Deno.exit(sum.failed === 0 ? 0 : 1);
}

if (import.meta.main) await main(Deno.args);
