/** What the forge reads: workflows and issue forms, as far as they can be tried without it. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { parse } from "@std/yaml";
import { VERSION } from "../../../lib/base/version.ts";
import { NEEDS } from "../../../tools/setup.ts";
import { LEVELS } from "../../../tools/test/main.ts";
import { PROJECT } from "../../support/runtime.ts";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly on: unknown;
  readonly permissions: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { "runs-on": string; steps: readonly Step[] }>>;
}

interface Form {
  readonly name: string;
  readonly description: string;
  readonly body: readonly { type: string; id: string; attributes: { label: string } }[];
}

/** The documents of a folder of the forge, by their names. */
function documents<T>(folder: string): [name: string, document: T][] {
  return Array.from(Deno.readDirSync(`${PROJECT}/.github/${folder}`), ({ name }) => name)
    .filter((name) => name.endsWith(".yml")).sort()
    .map((name) => [
      name,
      parse(Deno.readTextFileSync(`${PROJECT}/.github/${folder}/${name}`)) as T,
    ]);
}

const WORKFLOWS = documents<Workflow>("workflows");
const STEPS = WORKFLOWS.flatMap(([, { jobs }]) =>
  Object.values(jobs).flatMap(({ steps }) => steps)
);
const LINES = STEPS.flatMap(({ run }) => run ?? []);

/** Runs a script in the project; `deno` is the one that runs the tests. */
async function bash(flags: string, script: string, env: Record<string, string> = {}) {
  const { code, stderr } = await new Deno.Command("bash", {
    args: [flags, `deno() { "$DENO" "$@"; }\n${script}`],
    env: { ...env, DENO: Deno.execPath() },
    cwd: PROJECT,
    stdout: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("workflows say when, where, with which rights and in which steps", () => {
  assertEquals(WORKFLOWS.map(([name]) => name), ["ci.yml", "release.yml"]);
  for (const [name, { on, permissions, env, jobs }] of WORKFLOWS) {
    assert(on !== undefined && permissions !== undefined, name);
    assertEquals(env, { RUNTS_LINK: "1" }, name);
    for (const [job, { "runs-on": runner, steps }] of Object.entries(jobs)) {
      assertMatch(runner, /^(ubuntu-24\.04|\$\{\{ matrix\.os \}\})$/, `${name}: ${job}`);
      for (const { uses, run } of steps) assert((uses === undefined) !== (run === undefined), name);
    }
  }
  for (const { uses } of STEPS) assertMatch(uses ?? "a/b@v1", /^[\w-]+\/[\w-]+@v\d+$/);
});

Deno.test("workflows have the version of Deno that README names", () => {
  const [, version] = /deno@([\d.]+) task/.exec(Deno.readTextFileSync(`${PROJECT}/README.md`))!;
  const named = STEPS.filter(({ uses }) => uses?.startsWith("denoland/setup-deno@"))
    .map((step) => step.with?.["deno-version"]);
  assertEquals(named, named.map(() => `v${version}`));
  const others = [".ci/run", "docs/install.md", "docs/development.md"].flatMap((path) =>
    Array.from(
      Deno.readTextFileSync(`${PROJECT}/${path}`).matchAll(/deno@([\d.]+) /g),
      (match) => match[1],
    )
  );
  assertEquals(others, others.map(() => version));
});

Deno.test("what workflows run is shell, and names groups and levels that there are", async () => {
  for (const line of LINES) assertEquals(await bash("-nc", line), { code: 0, stderr: "" });
  const words = (pattern: RegExp) =>
    LINES.flatMap((line) => pattern.exec(line)?.[1]?.trim().split(" ") ?? []);
  const groups = words(/deno task setup\b(.*)/);
  assert(groups.includes("aarch64"));
  assertEquals(groups.filter((group) => !(group in NEEDS)), []);
  const levels = words(/tools\/test\/main\.ts\b(.*)/);
  assert(levels.includes("integration"));
  assertEquals(levels.filter((level) => !LEVELS.includes(level)), []);
});

Deno.test("a tag that is not that of the version makes no release", async () => {
  const line = LINES.find((one) => one.includes("GITHUB_REF_NAME"))!;
  const tagged = (tag: string) => bash("-ec", line, { GITHUB_REF_NAME: tag });
  assertEquals(await tagged(`v${VERSION}`), { code: 0, stderr: "" });
  assertEquals(await tagged(`v${VERSION}1`), { code: 1, stderr: "" });
});

Deno.test("issue forms have fields that the forge knows, each with a label and an id of its own", () => {
  const forms = documents<Form>("ISSUE_TEMPLATE").filter(([name]) => name !== "config.yml");
  assertEquals(forms.map(([name]) => name), ["bug.yml", "idea.yml"]);
  for (const [file, { name, description, body }] of forms) {
    assert(name.length > 0 && description.length > 0, file);
    assertEquals(new Set(body.map(({ id }) => id)).size, body.length, file);
    for (const { type, id, attributes } of body) {
      assertMatch(type, /^(textarea|input|dropdown|checkboxes)$/, `${file}: ${id}`);
      assert(attributes.label.length > 0, `${file}: ${id}`);
    }
  }
});
