/** The examples of docs/supervision.md do what they say. */

import { assertEquals, assertMatch } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime } from "../../support/host.ts";
import { command, PROJECT, RUNTIME } from "../../support/runtime.ts";
import { supervisionTest } from "../../support/supervised.ts";

const PAGE = Deno.readTextFileSync(`${PROJECT}/docs/supervision.md`);

/** The code block after `<!-- example: NAME -->`. */
function example(name: string): string {
  const block = new RegExp(`<!-- example: ${name} -->\n+\`\`\`\\w+\n([^]*?)\`\`\``).exec(PAGE);
  if (block === null) throw new Error(`docs/supervision.md has no example ${name}`);
  return block[1]!;
}

/** Runs a shell example, with other ids, in a directory that has the bundle. */
async function shell(runtime: TestRuntime, bundle: Bundle, name: string) {
  const directory = Deno.makeTempDirSync({ prefix: "runts-docs-" });
  const id = runtime.id();
  try {
    Deno.symlinkSync(bundle.path, `${directory}/bundle`);
    const runts = `runts() { ${RUNTIME} --root ${runtime.root} "$@"; }\n`;
    const script = runts +
      example(name).replaceAll(/ web$| web /gm, (word) => word.replace("web", id));
    return { id, ...await command(["sh", "-euc", script], { cwd: directory }) };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

supervisionTest("docs: a supervised container", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "echo life; exit 5"];
  bundle.save();
  const { id, code, stdout, stderr } = await shell(runtime, bundle, "supervised");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertMatch(stdout, new RegExp(`^5\\nlife\\nID .*\\n${id} +0 +stopped +5 +2 .*\\n$`));
});

supervisionTest("docs: one more program", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  bundle.save();
  const { code, stdout, stderr } = await shell(runtime, bundle, "exec");
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertMatch(stdout, /^backup\n4\n\{\n/);
  assertMatch(stdout, /"name": "backup",\n {6}"pid": 0,\n {6}"status": "ended",/);
});

supervisionTest("docs: a script", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", "echo done"];
  bundle.save();
  const script = example("script")
    .replace("./runts/mod.ts", `${PROJECT}/mod.ts`)
    .replace('id: "job"', `id: "${runtime.id()}"`)
    .replace('bundle: "/bundles/job"', `bundle: "${bundle.path}", root: "${runtime.root}"`);
  Deno.writeTextFileSync(`${bundle.path}/script.ts`, script);
  assertEquals(
    await command([Deno.execPath(), "run", "-A", "--no-check", "script.ts"], { cwd: bundle.path }),
    { code: 0, stdout: "stdout done\njob ended with 0\n", stderr: "" },
  );
});
