/** `run` and `exec` in the foreground of a front: streams, signals, exit codes, terminals. */

import { assert, assertEquals } from "@std/assert";
import { readLink } from "../../../lib/base/files.ts";
import { Bundle, idle } from "../../support/bundle.ts";
import { tell } from "../../support/cold.ts";
import { isRunning, parentOf, runtimeTest, type TestRuntime } from "../../support/host.ts";
import { RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { Session } from "../../support/session.ts";
import { WarmBrain } from "../../support/warm.ts";

/** A program that tells of SIGTERM, and stays until then. */
const TRAPS = "trap 'echo told; exit 5' TERM; echo here; while :; do sleep 0.01; done";

const SIGTERM = 15;

/** A command in the foreground whose program notes its pid, as the host has it, at a path. */
class Foreground {
  readonly #process: Deno.ChildProcess;
  readonly #pidFile: string;

  constructor(
    { root }: TestRuntime,
    brain: WarmBrain,
    [verb, ...words]: readonly string[],
    script = TRAPS,
  ) {
    this.#pidFile = `${root}/pid-${verb}`;
    this.#process = new Deno.Command(RUNTIME, {
      args: [
        ...["--root", root, verb!, "--pid-file", this.#pidFile, ...words],
        ...verb === "exec" ? ["sh", "-c", script] : [],
      ],
      env: { ...brain.env },
      ...{ stdin: "null", stdout: "piped", stderr: "piped" },
    }).spawn();
  }

  get pid(): number {
    return this.#process.pid;
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Waits until the program runs; gives its pid. */
  async program(): Promise<number> {
    const read = () => {
      try {
        return Number(Deno.readTextFileSync(this.#pidFile));
      } catch {
        return 0;
      }
    };
    await until("there is a pid", () => read() !== 0);
    const isShell = () => Deno.readTextFileSync(`/proc/${read()}/cmdline`).startsWith("sh\0");
    await until("the program hears of signals", () => isShell() && handles(read(), SIGTERM));
    return read();
  }

  /** Waits until the front waits for the end of the program: it has a signalfd then (signalfd(2)). */
  async waits(): Promise<void> {
    await until("the front waits", () => waits(this.pid));
  }

  async end(): Promise<{ code: number; stdout: string; stderr: string }> {
    const { code, stdout, stderr } = await this.#process.output();
    await Deno.remove(this.#pidFile).catch(() => {});
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }
}

/** Whether a process has a handler for the signal (proc_pid_status(5)). */
function handles(pid: number, signal: number): boolean {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const caught = BigInt(`0x${/^SigCgt:\t(.*)$/m.exec(status)![1]}`);
  return (caught & (1n << BigInt(signal - 1))) !== 0n;
}

function waits(pid: number): boolean {
  const fds = `/proc/${pid}/fd`;
  const links = [...Deno.readDirSync(fds)].map(({ name }) => readLink(`${fds}/${name}`));
  return links.includes("anon_inode:[signalfd]");
}

function shell(script: string): Bundle {
  return new Bundle((config) => config.process.args = ["sh", "-c", script]);
}

runtimeTest("run and exec bring streams and exit codes", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  const call = (...args: string[]) => tell(["--root", runtime.root, ...args], brain.words);
  const fed = (...args: string[]) =>
    tell(["--root", runtime.root, ...args], brain.words, { stdin: "input" });
  using bundle = shell("cat; echo error >&2; exit 7");
  const said = { code: 7, stdout: "input", stderr: "error\n", cold: false };
  assertEquals(await fed("run", "--bundle", bundle.path, runtime.id()), said);
  using killed = shell("kill -9 $$");
  using sleeper = new Bundle(idle);
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", sleeper.path, id]);
  assertEquals(await fed("exec", id, "sh", "-c", "cat; echo error >&2; exit 7"), said);
  assertEquals(await call("exec", id, "sh", "-c", "kill -9 $$"), {
    code: 137,
    stdout: "",
    stderr: "",
    cold: false,
  });
  assertEquals(await call("exec", id, "/none"), {
    ...{ code: 255, stdout: "", cold: false },
    stderr: `runts: exec "${id}": process.args[0]: exec: "/none": ` +
      "stat /none: no such file or directory\n",
  });
  await runtime.ok(["delete", "--force", id]);
  assertEquals(await runtime.ok(["list", "--quiet"]), "");
  const { code, cold } = await call("run", "--bundle", killed.path, runtime.id());
  assertEquals({ code, cold }, { code: 0, cold: false }); // init of a pid namespace
});

runtimeTest(
  "the program is the front's child and gets its signals",
  RUNTS_ONLY,
  async (runtime) => {
    await using brain = await WarmBrain.start();
    using bundle = shell(TRAPS);
    const run = new Foreground(runtime, brain, ["run", "--bundle", bundle.path, runtime.id()]);
    assertEquals(parentOf(await run.program()), run.pid);
    run.kill("SIGTERM");
    assertEquals(await run.end(), { code: 5, stdout: "here\ntold\n", stderr: "" });
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
    using sleeper = new Bundle(idle);
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", sleeper.path, id]);
    const exec = new Foreground(runtime, brain, ["exec", id]);
    assertEquals(parentOf(await exec.program()), exec.pid);
    exec.kill("SIGTERM");
    assertEquals(await exec.end(), { code: 5, stdout: "here\ntold\n", stderr: "" });
    await runtime.ok(["delete", "--force", id]);
  },
);

runtimeTest("a front that is killed leaves the program alone", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = shell(TRAPS);
  const id = runtime.id();
  const run = new Foreground(runtime, brain, ["run", "--bundle", bundle.path, id]);
  const pid = await run.program();
  run.kill("SIGKILL");
  await until("the brain has heard of it", async () => await brain.atWork() === 0);
  assertEquals(isRunning(pid), true);
  assertEquals((await runtime.state(id)).status, "running");
  await runtime.ok(["delete", "--force", id]);
  assertEquals(await run.end(), { code: 137, stdout: "here\n", stderr: "" });
});

runtimeTest("without the brain both go on by themselves", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = shell(TRAPS);
  const ids = [runtime.id(), runtime.id()] as const;
  const run = new Foreground(runtime, brain, ["run", "--bundle", bundle.path, ids[0]]);
  await run.program();
  await run.waits();
  using sleeper = new Bundle(idle);
  await runtime.ok(["run", "--detach", "--bundle", sleeper.path, ids[1]]);
  const exec = new Foreground(runtime, brain, ["exec", ids[1]]);
  await exec.program();
  await exec.waits();
  brain.kill("SIGKILL");
  await brain.end();
  for (const one of [run, exec]) {
    one.kill("SIGTERM");
    assertEquals(await one.end(), { code: 5, stdout: "here\ntold\n", stderr: "" });
  }
  assertEquals(await runtime.ok(["list", "--quiet"]), `${ids[1]}\n`);
  await runtime.ok(["delete", "--force", ids[1]]);
});

runtimeTest("a brain that is to end does not wait for programs", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = shell(TRAPS);
  const run = new Foreground(runtime, brain, ["run", "--bundle", bundle.path, runtime.id()]);
  await run.program();
  await run.waits();
  brain.kill("SIGTERM");
  assertEquals(await brain.end(), { code: 0, stderr: "" });
  run.kill("SIGTERM");
  assertEquals(await run.end(), { code: 5, stdout: "here\ntold\n", stderr: "" });
  assertEquals(await runtime.ok(["list", "--quiet"]), "");
});

for (const verb of ["run", "exec"] as const) {
  runtimeTest(
    `${verb} on a terminal has its size and gives it back`,
    RUNTS_ONLY,
    async (runtime) => {
      await using brain = await WarmBrain.start();
      const script = "stty size; read word; echo got $word; exit 4";
      using bundle = new Bundle((config) => {
        config.process.terminal = verb === "run";
        config.process.args = verb === "run" ? ["sh", "-c", script] : ["sleep", "1000"];
      });
      const id = runtime.id();
      if (verb === "exec") await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
      const words = verb === "run"
        ? ["run", "--bundle", bundle.path, id]
        : ["exec", "--tty", id, "sh", "-c", script];
      const line = ["env", ...brain.words, RUNTIME, "--root", runtime.root, ...words];
      await using session = await Session.start(line, { rows: 33, cols: 101 });
      await session.shows("33 101");
      assert(session.mode() !== session.modeBefore);
      session.type("something\n");
      assertEquals(await session.end(), 4);
      assertEquals(session.output.replaceAll("\r", ""), "33 101\nsomething\ngot something\n");
      assertEquals([session.mode(), session.errors], [session.modeBefore, ""]);
      assertEquals(await brain.done(), 1);
      if (verb === "exec") await runtime.ok(["delete", "--force", id]);
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    },
  );
}

runtimeTest("without the brain a terminal works on and comes back", RUNTS_ONLY, async (runtime) => {
  await using brain = await WarmBrain.start();
  using bundle = new Bundle((config) => {
    config.process.terminal = true;
    config.process.args = ["sh", "-c", "echo here; read word; echo got $word; exit 4"];
  });
  const words = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
  await using session = await Session.start(["env", ...brain.words, RUNTIME, ...words]);
  await session.shows("here");
  await until("the front waits", () => waits(session.pid));
  brain.kill("SIGTERM");
  await brain.end();
  session.type("something\n");
  assertEquals(await session.end(), 4);
  assertEquals(session.output.replaceAll("\r", ""), "here\nsomething\ngot something\n");
  assertEquals([session.mode(), session.errors], [session.modeBefore, ""]);
  assertEquals(await runtime.ok(["list", "--quiet"]), "");
});
