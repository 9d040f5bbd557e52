/** `runts serve`, and commands that it carries out. */

import { assertEquals, assertMatch } from "@std/assert";
import { longName } from "../../../lib/cli/types.ts";
import { BUSY } from "../../../lib/serve/serve.ts";
import { SUPERVISE_OPTIONS } from "../../../lib/commands/supervise_options.ts";
import { Bundle } from "../../support/bundle.ts";
import { idle, tell } from "../../support/cold.ts";
import { isRunning, parentOf, runtimeTest } from "../../support/host.ts";
import { command, RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { WarmBrain } from "../../support/warm.ts";
import { crowd } from "../../support/warm_client.ts";

/** What options are given that do not take every text. */
const VALUES: Readonly<Record<string, string>> = { logDriver: "raw", restart: "no", label: "a=b" };

const WARM = { code: 0, stdout: "", stderr: "", cold: false };

runtimeTest("a container lives without a Deno of its own", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = new Bundle(idle);
  const id = runtime.id();
  const call = (...args: string[]) => tell(["--root", runtime.root, ...args], brain.words);
  const pidFile = `${runtime.root}/pid`;
  assertEquals(
    await call("create", "--bundle", bundle.path, "--pid-file", pidFile, id),
    WARM,
  );
  const pid = Number(Deno.readTextFileSync(pidFile));
  assertEquals(JSON.parse((await call("state", id)).stdout).pid, pid);
  assertEquals(await call("start", id), WARM);
  assertEquals(await call("exec", "--detach", "--pid-file", pidFile, id, "sleep", "1000"), WARM);
  const other = Number(Deno.readTextFileSync(pidFile));
  assertEquals(Deno.readTextFileSync(`/proc/${other}/cmdline`), "sleep\x001000\0");
  assertEquals([parentOf(pid), parentOf(other)].includes(brain.pid), false);
  const list = await call("list", "--quiet", "--filter", `name=${id}`);
  assertEquals(list, { ...WARM, stdout: `${id}\n` });
  assertEquals(await call("pause", id), WARM);
  assertEquals(await call("resume", id), WARM);
  assertEquals(await call("delete", "--force", id), WARM);
  assertEquals([isRunning(pid), isRunning(other)], [false, false]);
  Deno.removeSync(pidFile);
});

runtimeTest("an error is the command's, and the next one works", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  const call = (...args: string[]) => tell(["--root", runtime.root, ...args], brain.words);
  for (const args of [["state", "nobody"], ["create", "--bundle", runtime.root, "x"]]) {
    const cold = await tell(["--root", runtime.root, ...args]);
    assertEquals(cold.cold, true);
    assertEquals(await call(...args), { ...cold, cold: false });
  }
  assertEquals(await call("list", "--quiet"), { ...WARM });
});

runtimeTest("a brain that is busy leaves commands to Deno", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  const line = ["--root", runtime.root, "list", "--quiet", "--filter", "name=x"];
  const list = () => tell(line, brain.words);
  {
    await using _others = await crowd(brain.directory, BUSY);
    assertEquals(await list(), { ...WARM, cold: true });
  }
  await until("it has time again", async () => !(await list()).cold);
});

runtimeTest("what it cannot do runs cold, quietly", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  const env = brain.words;
  const version = await tell(["version"], env);
  assertEquals({ ...version, stdout: "" }, { ...WARM, cold: true });
  const logs = ["--root", runtime.root, "--log", "/dev/fd/2"];
  const log = await tell([...logs, "list", "--quiet", "--filter", "name=x"], env);
  assertEquals(log, { ...WARM, cold: true });
  // What is joined to a monitor's streams reads its own, and a trace tells of a process of its own.
  const bundle = ["--bundle", "/nonexistent"];
  const lines = [
    ...Object.entries(SUPERVISE_OPTIONS).map(([key, option]) => [
      ...["run", ...bundle, `--${longName(key)}`],
      ...("value" in option ? [VALUES[key] ?? "1"] : []),
      "none",
    ]),
    ["create", ...bundle, "--trace", `${runtime.root}/trace`, "none"],
    ["start", "--trace", `${runtime.root}/trace`, "none"],
    ["exec", "--name", "some", "none", "true"],
    ["update", "--resources", "-", "none"],
    ["logs", "none"],
    ["logs", "--follow", "--tail", "1", "none"],
  ];
  for (const line of lines) {
    const { code, cold } = await tell(["--root", runtime.root, ...line], env);
    assertEquals({ code: code !== 0, cold }, { code: true, cold: true }, line.join(" "));
  }
  const plain = await tell(["--root", runtime.root, "create", ...bundle, "none"], env);
  assertEquals({ code: plain.code, cold: plain.cold }, { code: 1, cold: false });
  await Deno.remove(`${runtime.root}/trace`);
});

Deno.test({
  ...RUNTS_ONLY,
  name: "the brain says what it is, and nobody where there is none",
  fn: async () => {
    await using brain = await WarmBrain.start();
    const line = ["--root", `${brain.directory}/none`];
    await tell([...line, "list"], brain.words);
    await tell([...line, "version"], brain.words);
    const { stdout, ...rest } = await tell(["serve", "--status"], brain.words);
    assertEquals(rest, { code: 0, stderr: "", cold: false });
    const lines = stdout.split("\n");
    assertEquals(lines[0], `pid: ${brain.pid}`);
    assertMatch(lines[1]!, /^since: \d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assertEquals(lines[2], "commands: 1 carried out, 1 sent away, 1 at work");
    assertMatch(lines[3]!, /^memory: \d+ MB$/);
    assertMatch(lines[4]!, /^build: [0-9a-f]{32}$/);
    assertEquals(await tell(["serve", "--status"]), {
      ...{ code: 1, stdout: "", cold: true },
      stderr: "runts: serve: no warm brain serves this caller\n",
    });
  },
});

Deno.test({
  ...RUNTS_ONLY,
  name: "there is one brain a directory",
  fn: async () => {
    await using brain = await WarmBrain.start();
    const second = await command([RUNTIME, "serve"], { env: brain.env });
    assertEquals(second, {
      code: 1,
      stdout: "",
      stderr: `runts: serve: a warm brain serves "${brain.directory}" already\n`,
    });
  },
});

Deno.test({
  ...RUNTS_ONLY,
  name: "it ends at SIGTERM, and when nobody has asked for long enough",
  fn: async () => {
    await using told = await WarmBrain.start();
    told.kill("SIGTERM");
    assertEquals(await told.end(), { code: 0, stderr: "" });
    assertEquals([...Deno.readDirSync(told.directory)].map(({ name }) => name), ["lock"]);
    await using idle = await WarmBrain.start(["--idle", "10ms"]);
    assertEquals(await idle.end(), { code: 0, stderr: "" });
  },
});

Deno.test({
  ...RUNTS_ONLY,
  name: "a directory that others may enter is refused, and an empty name means none",
  fn: async () => {
    const path = Deno.makeTempDirSync({ prefix: "runts-brain-" });
    try {
      Deno.chmodSync(path, 0o755);
      const found = await command([RUNTIME, "serve"], { env: { RUNTS_BRAIN: path } });
      assertEquals(found, {
        code: 1,
        stdout: "",
        stderr: `runts: serve: directory "${path}" is not this user's alone: ` +
          "it must belong to the user, and have mode 0700\n",
      });
      const none = await command([RUNTIME, "serve"], { env: { RUNTS_BRAIN: "" } });
      assertEquals(none, {
        code: 1,
        stdout: "",
        stderr: "runts: serve: RUNTS_BRAIN is empty: there is to be no warm brain\n",
      });
    } finally {
      Deno.removeSync(path);
    }
  },
});

Deno.test({
  ...RUNTS_ONLY,
  name: "a brain that does not answer holds nobody up, and one that was killed neither",
  fn: async () => {
    await using brain = await WarmBrain.start();
    const env = [`RUNTS_BRAIN=${brain.directory}`];
    const line = ["--root", `${brain.directory}/none`, "list", "--quiet"];
    brain.kill("SIGSTOP");
    assertEquals(await tell(line, env), { ...WARM, cold: true });
    brain.kill("SIGKILL");
    await brain.end();
    assertEquals(await tell(line, env), { ...WARM, cold: true });
  },
});
