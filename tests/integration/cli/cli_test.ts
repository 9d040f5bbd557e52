/** What the command line says: help, versions, mistakes, and the log that clients read back. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ALL } from "../../../lib/commands/all.ts";
import { OCI_VERSION, VERSION } from "../../../lib/base/version.ts";
import { Bundle } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { command, type CommandOptions, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";

function runts(args: readonly string[], options: CommandOptions = {}) {
  return command([RUNTIME, ...args], options);
}

/** Runs a test with a directory of its own, which is also the root of the containers. */
async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "runts-cli-" });
  try {
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("every command has --help, --usage and a page of help", RUNTS_ONLY, async (t) => {
  for (const { name, summary } of ALL) {
    await t.step(name, async () => {
      const help = await runts([name === "help" ? "--help" : name, "--help"]);
      assertEquals([help.code, help.stderr], [0, ""]);
      assertMatch(help.stdout, /^Usage: runts /);
      const page = await runts(["help", name]);
      assertEquals([page.code, page.stderr], [0, ""]);
      if (name !== "help") assertEquals(page.stdout, help.stdout);
      assert(page.stdout.toLowerCase().includes(summary.toLowerCase()), page.stdout);
    });
  }
});

Deno.test("without a command there is an overview", RUNTS_ONLY, async () => {
  const overview = await runts([]);
  assertEquals([overview.code, overview.stderr], [0, ""]);
  for (const args of [["--help"], ["-h"], ["-?"], ["help"], ["--debug", "--help"]]) {
    assertEquals(await runts(args), overview, args.join(" "));
  }
});

Deno.test("--version has the lines that clients read", RUNTS_ONLY, async () => {
  const { code, stdout, stderr } = await runts(["--version"]);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.trimEnd().split("\n");
  assertEquals([lines[0], lines[2]], [`runts version ${VERSION}`, `spec: ${OCI_VERSION}`]);
  assertMatch(lines[1]!, /^commit: ([0-9a-f]{40}(-dirty)?|unknown)$/);
  const rest = /^deno: 2\.\S+\nv8: \S+\nfront: (.*)\nlibseccomp: \d+\.\d+\.\d+\n([^]*)$/.exec(
    lines.slice(3).join("\n"),
  );
  assertMatch(rest?.[1] ?? stdout, /^([0-9a-f]{32}|none, every command starts Deno)$/);
  // As crun has it; systemd and the security modules where the host has them.
  assertMatch(
    rest?.[2] ?? stdout,
    /^(\+SYSTEMD )?(\+SELINUX )?(\+APPARMOR )?\+CAP \+SECCOMP \+EBPF( \+CRIU)?$/,
  );
  for (const args of [["-v"], ["-V"], ["version"], ["--root", "/x", "-version"]]) {
    assertEquals((await runts(args)).stdout, stdout, args.join(" "));
  }
});

Deno.test("a mistake is one line on the standard error", RUNTS_ONLY, async (t) => {
  const cases: [line: string, message: string][] = [
    ["strat web", 'unknown command "strat": did you mean "start"?'],
    ["frobnicate --all web", 'unknown command "frobnicate": see "runts help"'],
    ["help strat", 'unknown command "strat": did you mean "start"?'],
    ["--foo state web", 'state: unknown option "--foo": see "runts state --help"'],
    ["--rot /x state web", 'help: unknown option "--rot": did you mean "--root"?'],
    ["state", 'state: missing argument CONTAINER: see "runts state --help"'],
    ["kill web FOO", 'kill: unknown signal "FOO"'],
    [
      "--systemd-cgroup --cgroup-manager cgroupfs list",
      'list: --systemd-cgroup contradicts --cgroup-manager "cgroupfs"',
    ],
    [
      "delete --regex [",
      'delete: regular expression "[": Invalid regular expression: /[/: ' +
      "Unterminated character class",
    ],
  ];
  for (const [line, message] of cases) {
    await t.step(line, async () => {
      const expected = { code: 1, stdout: "", stderr: `runts: ${message}\n` };
      assertEquals(await runts(line.split(" ")), expected);
    });
  }
});

Deno.test("the log gets one object when a command fails", RUNTS_ONLY, async () => {
  await withDirectory(async (directory) => {
    const log = `${directory}/log`;
    const message = 'state "web": container does not exist';
    const output = await runts(
      ["--root", directory, "--log-format=json", "--log", log, "state", "web"],
    );
    assertEquals(output, { code: 1, stdout: "", stderr: `runts: ${message}\n` });
    const { time, ...entry } = JSON.parse(Deno.readTextFileSync(log));
    assertEquals(entry, { level: "error", msg: message });
    assertMatch(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    assertEquals(Deno.readTextFileSync(log).split("\n").length, 2);
  });
});

Deno.test("the log gets mistakes of the command line too", RUNTS_ONLY, async () => {
  await withDirectory(async (directory) => {
    const log = `${directory}/log`;
    await runts(["--log", log, "--log-format", "json", "state", "--bogus"]);
    assertEquals(
      JSON.parse(Deno.readTextFileSync(log)).msg,
      'state: unknown option "--bogus": see "runts state --help"',
    );
  });
});

Deno.test("the log stays empty when a command succeeds", RUNTS_ONLY, async () => {
  await withDirectory(async (directory) => {
    const log = `${directory}/log`;
    Deno.mkdirSync(`${directory}/root/broken`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/root/broken/status`, "not JSON");
    const args = ["--root", `${directory}/root`, "--log", log, "--log-format", "json"];
    const { code, stderr } = await runts([...args, "list"]); // with a warning
    assertEquals([code, stderr, Deno.readTextFileSync(log)], [0, "", ""]);
    await runts([...args, "--log-level", "warning", "list"]);
    assertEquals(JSON.parse(Deno.readTextFileSync(log)).level, "warning");
  });
});

Deno.test("a warning is seen where there is no log", RUNTS_ONLY, async () => {
  await withDirectory(async (directory) => {
    Deno.mkdirSync(`${directory}/broken`);
    Deno.writeTextFileSync(`${directory}/broken/status`, "not JSON");
    const { code, stderr } = await runts(["--root", directory, "list"]);
    assertEquals(code, 0);
    assertMatch(stderr, /^runts: warning: list: "broken": [^\n]+\n$/);
    const quiet = await runts(["--root", directory, "--log-level", "error", "list"]);
    assertEquals(quiet.stderr, "");
  });
});

Deno.test("the text log is that of runc", RUNTS_ONLY, async () => {
  await withDirectory(async (directory) => {
    const log = `${directory}/log`;
    await runts(["--root", directory, "--log", `file:${log}`, "state", "web"]);
    await runts(["--root", directory, "--log", log, "state", "web"]); // is appended
    const line = 'time="TIME" level=error msg="state \\"web\\": container does not exist"\n';
    const text = Deno.readTextFileSync(log).replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, "TIME");
    assertEquals(text, line.repeat(2));
  });
});

Deno.test("a log that cannot be opened is an error before any work", RUNTS_ONLY, async () => {
  await withDirectory(async (directory) => {
    const args = ["--log", `${directory}/no/log`, "spec", "--bundle", directory];
    assertEquals(await runts(args), {
      code: 1,
      stdout: "",
      stderr:
        `runts: spec: open log file "${directory}/no/log": ENOENT (no such file or directory)\n`,
    });
    assertEquals([...Deno.readDirSync(directory)], []);
  });
});

Deno.test("errors are JSON on the standard error when that is the log", RUNTS_ONLY, async () => {
  const { stderr } = await runts(["--log-format", "json", "state", "/"]);
  const { level, msg } = JSON.parse(stderr);
  assertEquals(level, "error");
  assertMatch(msg, /^state "\/": /);
});

Deno.test("a full standard output is an error", RUNTS_ONLY, async () => {
  const output = await command(["sh", "-c", '"$0" features > /dev/full', RUNTIME]);
  assertEquals(output, {
    code: 1,
    stdout: "",
    stderr: "runts: features: write to the standard output: ENOSPC (no space left on device)\n",
  });
});

Deno.test("a reader that goes away ends a command quietly", RUNTS_ONLY, async () => {
  const script = 'exec 3> >(true); wait $!; "$0" features >&3; echo "code $?"';
  const output = await command(["bash", "-c", script, RUNTIME]);
  assertEquals(output, { code: 0, stdout: "code 141\n", stderr: "" });
});

Deno.test("explain shows what create would do, and does nothing", RUNTS_ONLY, async () => {
  await withRuntime(async ({ root }) => {
    using bundle = new Bundle((config) => {
      config.linux.resources = { pids: { limit: 7 } };
      config.hooks = { createRuntime: [{ path: "/bin/true" }] };
    });
    const { code, stdout, stderr } = await runts(
      ["--root", root, "explain", "--bundle", bundle.path, `t${Deno.pid}-explain`],
    );
    assertEquals([code, stderr], [0, ""]);
    const rows = stdout.split("\n").map((row) => row.replace(/^ *\d* */, "").replace(/ +/, " "));
    for (
      const row of [
        "linux.resources.pids.limit write 7 to pids.max",
        "hooks.createRuntime[0] run /bin/true, by runts",
        "mounts[0] mount proc on /proc",
        'process.args execute "/bin/true"',
      ]
    ) assert(rows.includes(row), `${row}\n${stdout}`);
    const json = await runts(["explain", "--json", "--bundle", bundle.path]);
    const steps: { index?: number; text: string }[] = JSON.parse(json.stdout).steps;
    const indexes = steps.flatMap(({ index }) => index ?? []);
    assertEquals(indexes, indexes.map((_, place) => place));
    assertEquals(steps.at(-1)?.text, 'execute "/bin/true"');
  });
});

Deno.test("the manual page is sound", RUNTS_ONLY, async () => {
  const { stdout } = await runts(["man"]);
  const output = await command(["groff", "-man", "-ww", "-Tutf8"], { stdin: stdout });
  assertEquals([output.code, output.stderr], [0, ""]);
});
