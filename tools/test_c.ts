/**
 * Builds and runs tests/c/*.c with the address and undefined-behaviour sanitizers. Each is a
 * program of its own; a line of the form
 *
 *      * links: c/init/path.c c/common/signals.c
 *
 * names the sources that go with it. Exit code 0 is a pass, 77 a skip.
 */

import { basename, join } from "@std/path";
import type { Count } from "./count.ts";
import { DIST, exists, filesBelow, ROOT } from "./paths.ts";
import { run } from "./run.ts";

const SKIPPED = 77;
const FLAGS = [
  "-std=c11",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-O1",
  "-g",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-fno-omit-frame-pointer",
  '-DRUNTS_BUILD_ID="test"',
  ...["include", "common", "init", "helper"].map((folder) => `-I${join(ROOT, "c", folder)}`),
];

async function runOne(source: string): Promise<keyof Count> {
  const links = /^ \* links: (.*)$/m.exec(await Deno.readTextFile(source))?.[1] ?? "";
  const program = join(DIST, "obj", "test", basename(source, ".c"));
  const linked = links.split(" ").filter(Boolean).map((path) => join(ROOT, path));
  await run("gcc", [...FLAGS, "-o", program, source, ...linked]);
  const { code } = await new Deno.Command(program, { cwd: ROOT }).spawn().status;
  return code === 0 ? "passed" : code === SKIPPED ? "skipped" : "failed";
}

/** Runs them all; prints a line for each. */
export async function testC(): Promise<Count> {
  const count: Count = { passed: 0, failed: 0, skipped: 0 };
  const folder = join(ROOT, "tests", "c");
  if (!await exists(folder)) return count;
  await Deno.mkdir(join(DIST, "obj", "test"), { recursive: true });
  for (const source of await filesBelow(folder, "_test.c")) {
    const result = await runOne(source).catch((error) => {
      console.error(error.message);
      return "failed" as const;
    });
    console.log(`${basename(source)} ... ${result}`);
    count[result]++;
  }
  return count;
}
