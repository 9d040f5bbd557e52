/** What README.md and the first pages behind it show does what they say. */

import { assertEquals, assertMatch } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, type Output, PROJECT, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";
import { script } from "../../support/script.ts";

const PAGES = ["README.md", "docs/install.md", "docs/library.md"]
  .map((page) => Deno.readTextFileSync(`${PROJECT}/${page}`)).join("\n");

/** Begins the ids of containers: names that are the same for all would meet as cgroups. */
const PREFIX = `t${Deno.pid}-`;

/** The code block after `<!-- example: NAME -->`, with other ids. */
function example(name: string): string {
  const block = new RegExp(`<!-- example: ${name} -->\n+\`\`\`\\w+\n([^]*?)\`\`\``).exec(PAGES);
  if (block === null) throw new Error(`there is no example ${name}`);
  return block[1]!.replaceAll(/( |id: ")(web|hello$|job)/gm, `$1${PREFIX}$2`);
}

/** Runs a shell example in a directory of its own, with `runts` at hand. */
async function shell(runtime: TestRuntime, script: string, prepare?: (path: string) => void) {
  const directory = Deno.makeTempDirSync({ prefix: "runts-readme-" });
  try {
    prepare?.(directory);
    const runts = `runts() { ${RUNTIME} --root ${runtime.root} "$@"; }\n`;
    return await command(["sh", "-euc", runts + script], { cwd: directory });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function readmeTest(name: string, body: (runtime: TestRuntime) => Promise<void>): void {
  Deno.test({
    name: `README: ${name}`,
    ...RUNTS_ONLY,
    fn: () => withRuntime(body),
  });
}

readmeTest("run a container", async (runtime) => {
  assertEquals(await shell(runtime, example("run")), {
    code: 0,
    stdout: "hello from a container\n",
    stderr: "",
  });
});

readmeTest("the steps of a lifecycle", async (runtime) => {
  using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
  const output: Output = await shell(
    runtime,
    example("lifecycle"),
    (path) => Deno.symlinkSync(bundle.path, `${path}/bundle`),
  );
  assertEquals({ code: output.code, stderr: output.stderr }, { code: 0, stderr: "" });
  assertMatch(output.stdout, /"status": "created"/);
  assertMatch(output.stdout, new RegExp(`^${PREFIX}web +\\d+ +running `, "m"));
});

readmeTest("scripting", async (runtime) => {
  using bundle = new Bundle();
  const text = example("script")
    .replace("/srv/busybox", bundle.rootfs)
    .replace('stdout: "piped"', `stdout: "piped", root: "${runtime.root}"`);
  assertEquals(await script(text, [], "--check"), {
    code: 0,
    stdout: "hi\n3 null\n",
    stderr: "Check script.ts\n",
  });
});
