/**
 * Builds and runs tests/c/*.c with the address and undefined-behaviour sanitizers. Each is a
 * program of its own; a line of the form
 *
 *      * links: c/init/path.c c/common/signals.c
 *
 * names the sources that go with it. What it prints is in the Test Anything Protocol; a program
 * that prints no result counts as one test.
 */

import { basename, join } from "@std/path";
import { add, type Count, render } from "./count.ts";
import { DIST, exists, filesBelow, ROOT } from "../support/paths.ts";
import { inParallel, run } from "../support/run.ts";

/** For sources and tests under the sanitizers. */
export const FLAGS = [
  "-std=c11",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-O1",
  "-g",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-fno-omit-frame-pointer",
  `-DRUNTS_BUILD_ID="${"0".repeat(32)}"`,
  ...["include", "common", "init", "helper"].map((folder) => `-I${join(ROOT, "c", folder)}`),
];

/** Counts results in the Test Anything Protocol. */
export function countTap(text: string, success: boolean): Count {
  const results = [...text.matchAll(/^(not )?ok\b[^#\n]*(# skip\b.*)?/gmi)];
  const skipped = results.filter((match) => match[2] !== undefined).length;
  const failed = results.filter((match) => match[1] !== undefined).length;
  const count = { passed: results.length - failed - skipped, failed, skipped };
  if (results.length === 0 && success) count.passed = 1;
  // A program that crashes does not say so.
  if (failed === 0 && !success) count.failed = 1;
  return count;
}

async function runOne(source: string): Promise<Count> {
  const links = /^ \* links: (.*)$/m.exec(await Deno.readTextFile(source))?.[1] ?? "";
  const program = join(DIST, "obj", "test", basename(source, ".c"));
  const linked = links.split(" ").filter(Boolean).map((path) => join(ROOT, path));
  await run("gcc", [...FLAGS, "-o", program, source, ...linked]);
  const child = new Deno.Command(program, { cwd: ROOT, stdout: "piped", stderr: "inherit" });
  const { success, stdout } = await child.output();
  await Deno.stdout.write(stdout);
  return countTap(new TextDecoder().decode(stdout), success);
}

/** Runs them all; prints a line for each. */
export async function testC(): Promise<Count> {
  const sum: Count = { passed: 0, failed: 0, skipped: 0 };
  const folder = join(ROOT, "tests", "c");
  if (!await exists(folder)) return sum;
  await Deno.mkdir(join(DIST, "obj", "test"), { recursive: true });
  const sources = (await filesBelow(folder, ".c")).filter((path) => /_(test|fuzz)\.c$/.test(path));
  await inParallel(sources, navigator.hardwareConcurrency, async (source) => {
    const count = await runOne(source).catch((error) => {
      console.error(error.message);
      return { passed: 0, failed: 1, skipped: 0 };
    });
    console.log(`${basename(source)}: ${render(count)}`);
    add(sum, count);
  });
  return sum;
}
