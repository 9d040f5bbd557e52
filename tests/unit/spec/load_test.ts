import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { SpecError } from "../../../lib/spec/json/document.ts";
import { configPath, parseResources, parseSpec, readConfig } from "../../../lib/spec/load.ts";
import { AT_ONCE, type CallersFiles } from "../../../lib/base/document_file.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import type { Spec } from "../../../lib/spec/types/config.ts";
import { loadProcess } from "../../../lib/spec/load_process.ts";
import { specText, template } from "../../../lib/spec/template.ts";
import { config } from "../../support/spec.ts";

/** Calls with a directory that is removed afterwards. */
async function inDirectory(use: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "runts-spec-" });
  try {
    await use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function message(call: () => unknown): string {
  return assertThrows(call, RuntsError).message;
}

async function messageLater(call: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(call, RuntsError)).message;
}

/** As the command line reads documents, and as scripts do. */
const WAYS: readonly CallersFiles[] = [AT_ONCE, new Runtime().files];

/** Reads as create does the configuration of a bundle. */
type LoadSpec = (bundle: string, configFile?: string) => Promise<Spec>;

/** A test for each way of reading. */
function loadTest(
  name: string,
  body: (bundle: string, loadSpec: LoadSpec, files: CallersFiles) => Promise<void>,
): void {
  Deno.test(name, async () => {
    for (const files of WAYS) {
      const loadSpec: LoadSpec = async (bundle, configFile) => {
        const file = configPath(bundle, configFile);
        return parseSpec(await readConfig(files, bundle, file), file);
      };
      await inDirectory((directory) => body(directory, loadSpec, files));
    }
  });
}

loadTest("loadSpec reads config.json of the bundle, or another file", async (bundle, loadSpec) => {
  Deno.writeTextFileSync(`${bundle}/config.json`, specText(template()));
  Deno.writeTextFileSync(`${bundle}/other.json`, JSON.stringify(config({ hostname: "other" })));
  assertEquals((await loadSpec(bundle)).hostname, "runts");
  assertEquals((await loadSpec(`${bundle}/`)).hostname, "runts");
  assertEquals((await loadSpec(bundle, "other.json")).hostname, "other");
  assertEquals((await loadSpec("/nowhere", `${bundle}/other.json`)).hostname, "other");
  assertEquals(configPath("/b"), "/b/config.json");
  assertEquals(configPath("/"), "/config.json");
});

loadTest("loadSpec names the file that it cannot read, and why", async (bundle, loadSpec) => {
  const file = `${bundle}/config.json`;
  assertEquals(
    await messageLater(() => loadSpec(bundle)),
    `read "${file}": ENOENT (no such file or directory): write one with "runts spec"`,
  );
  assertEquals(
    await messageLater(() => loadSpec(`${bundle}/none`)),
    `read "${bundle}/none/config.json": ENOENT (no such file or directory): ` +
      `the bundle "${bundle}/none" does not exist`,
  );
  const other = `${bundle}/other.json`;
  Deno.writeTextFileSync(other, "{}");
  assertEquals(
    await messageLater(() => loadSpec(other)),
    `read "${other}/config.json": ENOTDIR (not a directory): the bundle "${other}" is not a directory`,
  );
  Deno.mkdirSync(file);
  assertEquals(
    await messageLater(() => loadSpec(bundle)),
    `read "${file}": EISDIR (is a directory)`,
  );
  Deno.removeSync(file);
  Deno.writeFileSync(file, new Uint8Array([0x7b, 0xff, 0x7d]));
  assertEquals(await messageLater(() => loadSpec(bundle)), `read "${file}": not UTF-8 text`);
  Deno.writeTextFileSync(file, "");
  assertEquals(
    await messageLater(() => loadSpec(bundle)),
    `${file}:1:1: malformed JSON: the text is empty`,
  );
});

loadTest(
  "loadSpec takes a mark of the byte order, and the character that replaces others",
  async (bundle, loadSpec) => {
    const spec = { ociVersion: "1.3.0", root: { path: "r\ufffd" } };
    Deno.writeTextFileSync(`${bundle}/config.json`, `\ufeff${JSON.stringify(spec)}`);
    assertEquals(await loadSpec(bundle), spec);
    spec.root.path = "r";
    Deno.writeTextFileSync(`${bundle}/config.json`, `\ufeff${JSON.stringify(spec)}`);
    assertEquals(await loadSpec(bundle), spec);
  },
);

Deno.test("parseSpec states the first finding and counts the others", () => {
  const findings = (changes: Record<string, unknown>) => {
    const text = JSON.stringify(config(changes));
    return assertThrows(() => parseSpec(text, "config.json"), SpecError);
  };
  assertEquals(
    findings({ "process.cwd": "tmp" }).message,
    'config.json: process.cwd: "tmp" is not an absolute path',
  );
  assertEquals(
    findings({ "process.cwd": "tmp", root: 1 }).message,
    'config.json: root: 1 is not an object (and 1 more finding, see "runts validate")',
  );
  const error = findings({ "process.cwd": "tmp", root: 1, hostname: 2 });
  assertEquals(error.findings.map((finding) => finding.path), ["root", "process.cwd", "hostname"]);
  assertEquals(
    error.with({ command: 'create "web"' }).message,
    'create "web": config.json: root: 1 is not an object ' +
      '(and 2 more findings, see "runts validate")',
  );
  assert(error.with({ command: "x" }) instanceof SpecError);
  assertEquals(
    assertThrows(() => parseSpec("[]", "config.json"), SpecError).message,
    "config.json: [] is not an object",
  );
});

Deno.test("parseSpec leaves out what is null", () => {
  const spec = parseSpec(JSON.stringify(config({ hooks: null, mounts: null })), "c");
  assertEquals("hooks" in spec || "mounts" in spec, false);
});

loadTest("loadProcess and parseResources name their source", async (directory, _, files) => {
  const file = `${directory}/process.json`;
  Deno.writeTextFileSync(file, '{"cwd":"/","args":["sh"],"user":{"uid":0,"gid":0}}');
  assertEquals((await loadProcess(files, file)).args, ["sh"]);
  Deno.writeTextFileSync(file, '{"cwd":"","args":["sh"],"user":{"uid":0,"gid":0}}');
  assertEquals(
    await messageLater(() => loadProcess(files, file)),
    `${file}: cwd: "" is not an absolute path`,
  );
  Deno.removeSync(file);
  assertEquals(
    await messageLater(() => loadProcess(files, file)),
    `read "${file}": ENOENT (no such file or directory)`,
  );
  assertEquals(parseResources('{"pids":{"limit":10}}', "standard input").pids, { limit: 10 });
  assertEquals(
    message(() => parseResources('{"pids":{"limit":"x"}}', "standard input")),
    'standard input: pids.limit: "x" is not a whole number',
  );
});
