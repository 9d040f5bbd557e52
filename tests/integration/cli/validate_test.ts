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
    [
      ...FINDINGS.map(([path, fault]) => `${bundle.path}/config.json: ${path}: ${fault}`),
      `${bundle.path}/config.json: warning: unknown: is an unknown property`,
    ],
  );
});

Deno.test("validate gives the same as JSON", RUNTS_ONLY, async () => {
  using bundle = new Bundle(spoil);
  const { code, stdout } = await validate("--format", "json", "--bundle", bundle.path);
  assertEquals(code, 1);
  const { findings, warnings } = JSON.parse(stdout);
  assertEquals(findings.map(({ path }: { path: string }) => path), FINDINGS.map(([path]) => path));
  assertEquals(warnings, [
    { path: "unknown", rule: "unknown", message: "is an unknown property" },
  ]);
});

Deno.test("validate says nothing of a sound document", RUNTS_ONLY, async () => {
  using bundle = new Bundle();
  assertEquals(await validate("--strict", "--bundle", bundle.path), {
    code: 0,
    stdout: "",
    stderr: "",
  });
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

Deno.test("warnings are faults with --strict alone", RUNTS_ONLY, async () => {
  using bundle = new Bundle((config) => {
    config.process.evn = [];
    config.process.capabilities.bounding.push("CAP_KIL");
  });
  const file = `${bundle.path}/config.json`;
  const stdout = `${file}: warning: process.evn: is an unknown property\n` +
    `${file}: warning: process.capabilities.bounding[3]: "CAP_KIL" is no capability: ` +
    'did you mean "CAP_KILL"?\n';
  assertEquals(await validate("--bundle", bundle.path), { code: 0, stdout, stderr: "" });
  assertEquals(await validate("--strict", "--bundle", bundle.path), {
    code: 1,
    stdout,
    stderr: "",
  });
});

Deno.test("validate --host tells what this host does not have", RUNTS_ONLY, async () => {
  using bundle = new Bundle((config) => {
    config.mounts.push(
      { destination: "/a", source: "/nowhere/a", options: ["rbind"] },
      { destination: "/b", source: "data", type: "bind" },
      { destination: "/c", source: "rootfs/later", options: ["bind"] },
      {
        destination: "/d",
        type: "tmpfs",
        source: "tmpfs",
        options: ["size=1z", "nosiud", "uid=4294967295"],
      },
    );
    config.hooks = {
      prestart: [{ path: "/nowhere/hook" }, { path: "/bin/true" }],
      startContainer: [{ path: "/inside/hook" }],
    };
    config.linux.namespaces.find(({ type }: Config) => type === "network").path = "/nowhere/net";
  });
  const { code, stdout, stderr } = await validate("--host", "--bundle", bundle.path);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  // The words are the kernel's.
  const lines = stdout.replace(/"tmpfs: [^"]*"$/m, '"…"').trimEnd().split("\n");
  assertEquals(
    lines,
    [
      'mounts[9].options[0]: "size=1z" is not of the form NAME=SIZE, as size=64m',
      'mounts[9].options[1]: "nosiud" is no option of tmpfs: did you mean "nosuid"?',
      'mounts[6].source: "/nowhere/a" is not there',
      `mounts[7].source: "data" is not there (${JSON.stringify(`${bundle.path}/data`)})`,
      `mounts[9].options[2]: "uid=4294967295" is refused by this kernel: "…"`,
      'hooks.prestart[0].path: "/nowhere/hook" is not there',
      'linux.namespaces[1].path: "/nowhere/net" is not there',
    ].map((line) => `${bundle.path}/config.json: warning: ${line}`),
  );
  assertEquals((await validate("--host", "--strict", "--bundle", bundle.path)).code, 1);
});

Deno.test("validate --host finds nothing amiss with what runs here", RUNTS_ONLY, async () => {
  using bundle = new Bundle();
  const output = await validate("--host", "--strict", "--bundle", bundle.path);
  assertEquals(output, { code: 0, stdout: "", stderr: "" });
});
