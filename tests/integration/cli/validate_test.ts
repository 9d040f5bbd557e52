/** validate: all findings of a document, as text and as JSON. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { command, type Output, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";

const validate = (...args: string[]): Promise<Output> => command([RUNTIME, "validate", ...args]);

function spoil(config: Config): void {
  config.ociVersion = "2.0.0";
  config.process.cwd = "tmp";
  config.process.rlimits.push(config.process.rlimits[0]);
  config.mounts[1].destination = 7;
  config.linux.namespaces.push({ type: "pid" });
  config.linux.maskedPaths[0] = "proc/acpi";
  config.unknown = { anything: true };
}

const FINDINGS: [path: string, fault: string][] = [
  ["ociVersion", '"2.0.0" is not supported: only versions 1.x are'],
  ["mounts[1].destination", "7 is not a string"],
  ["process.cwd", '"tmp" is not an absolute path'],
  ["process.rlimits[1]", '"RLIMIT_NOFILE" appears more than once'],
  ["linux.namespaces[5]", '"pid" appears more than once'],
  ["linux.maskedPaths[0]", '"proc/acpi" is not an absolute path'],
];

Deno.test("validate prints every finding with its path and exits with 1", RUNTS_ONLY, async () => {
  using bundle = new Bundle(spoil);
  const { code, stdout, stderr } = await validate("--bundle", bundle.path);
  assertEquals({ code, stderr }, { code: 1, stderr: "" });
  assertEquals(
    stdout.trimEnd().split("\n"),
    FINDINGS.map(([path, fault]) => `${bundle.path}/config.json: ${path}: ${fault}`),
  );
});

Deno.test("validate gives the same as JSON", RUNTS_ONLY, async () => {
  using bundle = new Bundle(spoil);
  const { code, stdout } = await validate("--format", "json", "--bundle", bundle.path);
  assertEquals(code, 1);
  const { findings } = JSON.parse(stdout);
  assertEquals(findings.map(({ path }: { path: string }) => path), FINDINGS.map(([path]) => path));
});

Deno.test("validate says nothing of a sound document", RUNTS_ONLY, async () => {
  using bundle = new Bundle((config) => config.unknown = { anything: true });
  assertEquals(await validate("--bundle", bundle.path), { code: 0, stdout: "", stderr: "" });
  const file = `${bundle.path}/process.json`;
  Deno.writeTextFileSync(file, JSON.stringify(bundle.config.process));
  assertEquals(await validate("--process", file), { code: 0, stdout: "", stderr: "" });
});

Deno.test("validate looks at process and resources documents", RUNTS_ONLY, async () => {
  using bundle = new Bundle();
  const file = `${bundle.path}/document.json`;
  const cases: [option: string, document: Config, message: string][] = [
    ["--process", { ...bundle.config.process, cwd: "x" }, 'cwd: "x" is not an absolute path'],
    ["--resources", { pids: { limit: "many" } }, 'pids.limit: "many" is not a whole number'],
  ];
  for (const [option, document, message] of cases) {
    Deno.writeTextFileSync(file, JSON.stringify(document));
    assertEquals(await validate(option, file), {
      code: 1,
      stdout: `${file}: ${message}\n`,
      stderr: "",
    });
  }
});
