import { assert, assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { SpecError } from "../../../lib/spec/json/document.ts";
import { configPath, parseResources, parseSpec, readConfig } from "../../../lib/spec/load.ts";
import { loadProcess } from "../../../lib/spec/load_process.ts";
import { templateText } from "../../../lib/spec/template.ts";
import { config } from "../../support/spec.ts";

/** Calls with a directory that is removed afterwards. */
function inDirectory(use: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "runts-spec-" });
  try {
    use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function message(call: () => unknown): string {
  return assertThrows(call, RuntsError).message;
}

/** As create reads the configuration of a bundle. */
function loadSpec(bundle: string, configFile?: string) {
  const file = configPath(bundle, configFile);
  return parseSpec(readConfig(bundle, file), file);
}

Deno.test("loadSpec reads config.json of the bundle, or another file", () => {
  inDirectory((bundle) => {
    Deno.writeTextFileSync(`${bundle}/config.json`, templateText());
    Deno.writeTextFileSync(`${bundle}/other.json`, JSON.stringify(config({ hostname: "other" })));
    assertEquals(loadSpec(bundle).hostname, "runts");
    assertEquals(loadSpec(`${bundle}/`).hostname, "runts");
    assertEquals(loadSpec(bundle, "other.json").hostname, "other");
    assertEquals(loadSpec("/nowhere", `${bundle}/other.json`).hostname, "other");
  });
  assertEquals(configPath("/b"), "/b/config.json");
  assertEquals(configPath("/"), "/config.json");
});

Deno.test("loadSpec names the file that it cannot read, and why", () => {
  inDirectory((bundle) => {
    const file = `${bundle}/config.json`;
    assertEquals(
      message(() => loadSpec(bundle)),
      `read "${file}": ENOENT (no such file or directory): write one with "runts spec"`,
    );
    assertEquals(
      message(() => loadSpec(`${bundle}/none`)),
      `read "${bundle}/none/config.json": ENOENT (no such file or directory): ` +
        `the bundle "${bundle}/none" does not exist`,
    );
    const other = `${bundle}/other.json`;
    Deno.writeTextFileSync(other, "{}");
    assertEquals(
      message(() => loadSpec(other)),
      `read "${other}/config.json": ENOTDIR (not a directory): the bundle "${other}" is not a directory`,
    );
    Deno.mkdirSync(file);
    assertEquals(message(() => loadSpec(bundle)), `read "${file}": EISDIR (is a directory)`);
    Deno.removeSync(file);
    Deno.writeFileSync(file, new Uint8Array([0x7b, 0xff, 0x7d]));
    assertEquals(message(() => loadSpec(bundle)), `read "${file}": not UTF-8 text`);
    Deno.writeTextFileSync(file, "");
    assertEquals(message(() => loadSpec(bundle)), `${file}:1:1: malformed JSON: the text is empty`);
  });
});

Deno.test("loadSpec takes a mark of the byte order, and the character that replaces others", () => {
  inDirectory((bundle) => {
    const spec = { ociVersion: "1.3.0", root: { path: "r\ufffd" } };
    Deno.writeTextFileSync(`${bundle}/config.json`, `\ufeff${JSON.stringify(spec)}`);
    assertEquals(loadSpec(bundle), spec);
    spec.root.path = "r";
    Deno.writeTextFileSync(`${bundle}/config.json`, `\ufeff${JSON.stringify(spec)}`);
    assertEquals(loadSpec(bundle), spec);
  });
});

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

Deno.test("loadProcess and parseResources name their source", () => {
  inDirectory((directory) => {
    const file = `${directory}/process.json`;
    Deno.writeTextFileSync(file, '{"cwd":"/","args":["sh"],"user":{"uid":0,"gid":0}}');
    assertEquals(loadProcess(file).args, ["sh"]);
    Deno.writeTextFileSync(file, '{"cwd":"","args":["sh"],"user":{"uid":0,"gid":0}}');
    assertEquals(message(() => loadProcess(file)), `${file}: cwd: "" is not an absolute path`);
    Deno.removeSync(file);
    assertEquals(
      message(() => loadProcess(file)),
      `read "${file}": ENOENT (no such file or directory)`,
    );
  });
  assertEquals(parseResources('{"pids":{"limit":10}}', "standard input").pids, { limit: 10 });
  assertEquals(
    message(() => parseResources('{"pids":{"limit":"x"}}', "standard input")),
    'standard input: pids.limit: "x" is not a whole number',
  );
});
