/** The scripts of examples/, and what docs/library.md shows. */

import { assertEquals, assertMatch } from "@std/assert";
import type { Bundle } from "../../support/bundle.ts";
import type { TestRuntime } from "../../support/host.ts";
import { command, type CommandOptions, type Output, PROJECT } from "../../support/runtime.ts";
import { libraryTest, PLAIN, script } from "../../support/script.ts";

const tested = new Set<string>();

function exampleTest(
  name: string,
  judge: (output: Output) => void,
  options: CommandOptions = {},
): void {
  tested.add(`${name}.ts`);
  libraryTest(`examples/${name}.ts`, async (runtime: TestRuntime, bundle: Bundle) => {
    const args = ["run", "-A", "--no-check", `examples/${name}.ts`, bundle.rootfs, runtime.root];
    judge(await command([Deno.execPath(), ...args], { cwd: PROJECT, env: PLAIN, ...options }));
  });
}

const said = (lines: readonly string[]) => (output: Output) =>
  assertEquals(output, { code: 0, stdout: lines.map((line) => `${line}\n`).join(""), stderr: "" });

exampleTest(
  "job",
  said([
    "echo all is well: all is well",
    "echo oh no >&2; exit 3: it ended with 3: oh no",
    "echo slow; sleep 1000: The operation was aborted due to timeout",
  ]),
);
exampleTest("pool", said(["20 tasks, the sum of all squares is 2470"]));
exampleTest("sidecar", said(["the sidecar of pod: same network: true, pid 1 of its own"]));
exampleTest(
  "pause",
  said([
    "it is paused",
    "meanwhile it counted 0 times",
    "it is running, and goes on where it was",
  ]),
);
exampleTest(
  "limits",
  said(["it was allowed 5 %, now 10 %", "it was allowed 10 %, now 20 %"]),
);
exampleTest(
  "supervisor",
  said(["attempt 1: ended with 1", "attempt 2: ended with 1", "attempt 3: ended with 0"]),
);
exampleTest(
  "attached",
  ({ code, stdout, stderr }) => {
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    const said = stdout.trimEnd().split("\n");
    assertEquals(said.slice(0, 4), [
      ...["6 * 7 = 42", "1000 / 8 = 125", "it says: no more questions", "it ended with 0"],
    ]);
    assertEquals(said.slice(4).sort(), [
      ...["stderr: no more questions", "stdout: 1000 / 8 = 125", "stdout: 6 * 7 = 42"],
    ]);
  },
);
exampleTest(
  "system",
  said([
    "what is wrong with it: 0 things",
    "it is RUNNING",
    "on its console: hello, world",
    "web gave 3",
    "it is FROZEN",
    "it went through STARTING, RUNNING, FREEZING, FROZEN, THAWED, RUNNING, STOPPING, STOPPED",
  ]),
);
exampleTest("terminal", ({ code, stdout, stderr }) => {
  assertEquals({ code, stderr }, { code: 7, stderr: "" });
  assertMatch(stdout, /\r\n\/dev\/pts\/0\r\n/);
}, { stdin: "tty; exit 7\n" });

tested.add("fixture.ts");
libraryTest("examples/fixture.ts", async (runtime, bundle) => {
  const args = ["test", "-A", "--no-check", "--quiet", "examples/fixture.ts"];
  const env = { ...PLAIN, ROOTFS: bundle.rootfs, STATE_ROOT: runtime.root };
  const { code, stdout } = await command([Deno.execPath(), ...args], { cwd: PROJECT, env });
  assertEquals(code, 0);
  assertMatch(stdout, /^ok \| 2 passed \| 0 failed /m);
});

Deno.test("every example has a test", () => {
  const there = Array.from(Deno.readDirSync(`${PROJECT}/examples`), ({ name }) => name);
  assertEquals(there.sort(), [...tested].sort());
});

const PAGE = Deno.readTextFileSync(`${PROJECT}/docs/library.md`);

/** Runs a block of the page under another root, with other ids. */
function pageTest(name: string, expected: string): void {
  libraryTest(`docs/library.md: ${name}`, async (runtime: TestRuntime, bundle: Bundle) => {
    const block = new RegExp(`<!-- example: ${name} -->\n+\`\`\`ts\n([^]*?)\`\`\``).exec(PAGE)![1]!;
    const text = block.replace("/srv/busybox", bundle.rootfs)
      .replace("/run/my-containers", runtime.root)
      .replace(/id: "(\w+)",(?!\n +runtime)/, `id: "$1", root: "${runtime.root}",`)
      .replace(/id: "(\w+)"/, `id: "t${Deno.pid}-$1"`);
    const output = await script(text, [], "--check");
    const stdout = output.stdout.replaceAll(`t${Deno.pid}-`, "");
    assertEquals({ ...output, stdout }, { code: 0, stdout: expected, stderr: "Check script.ts\n" });
  });
}

pageTest(
  "exec",
  'true in and out C\n\n{ success: false, code: 137, signal: "SIGKILL" }\n',
);
pageTest("spec", 'create "faulty": spec: process.cwd: "tmp" is not an absolute path\n');
pageTest(
  "supervised",
  "{ success: false, code: 3, signal: null }\nstdout working\nstdout working\n",
);
pageTest("list", "one running\nprocesses: 1\n");
