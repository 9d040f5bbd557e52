/** kill, signals that run and exec hand on, orphans. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import { commandLine, PEER, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { withSleeper } from "../../support/seen.ts";

/** A bundle whose program writes the numbers of the signals that it gets to /out. */
async function recorder(edit: (config: Config) => void = () => {}): Promise<Bundle> {
  const bundle = new Bundle((config) => {
    config.process.args = ["sh", "-c", "exec payload signals >/out"];
    config.root.readonly = false;
    edit(config);
  });
  await addPayload(bundle, "payload");
  return bundle;
}

function recorded(bundle: Bundle, name = "out"): string[] {
  try {
    return Deno.readTextFileSync(`${bundle.rootfs}/${name}`).split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

/** A recorder that runs in the background. */
async function withRecorder(
  body: (runtime: TestRuntime, id: string, bundle: Bundle) => Promise<void>,
  edit?: (config: Config) => void,
): Promise<void> {
  await withRuntime(async (runtime) => {
    using bundle = await recorder(edit);
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    await until("it is ready", () => recorded(bundle)[0] === "ready");
    await body(runtime, id, bundle);
    await runtime.ok(["delete", "--force", id]);
  });
}

/** Sends each and waits until it has come. */
async function sendAll(
  runtime: TestRuntime,
  id: string,
  bundle: Bundle,
  signals: ReadonlyMap<string, number>,
): Promise<void> {
  const expected = ["ready"];
  for (const [text, number] of signals) {
    await runtime.ok(["kill", id, text]);
    expected.push(String(number));
    await until(`${text} has come`, () => recorded(bundle).length === expected.length);
  }
  assertEquals(recorded(bundle), expected);
}

Deno.test("kill sends every signal by number", async () => {
  await withRecorder(async (runtime, id, bundle) => {
    // 9 and 19 cannot be caught, 32 to 34 belong to the C library, and TERM comes last.
    const numbers = Array.from({ length: 64 }, (_, index) => index + 1)
      .filter((one) => ![9, 15, 19, 32, 33, 34].includes(one));
    await sendAll(runtime, id, bundle, new Map(numbers.map((one) => [String(one), one])));
    await runtime.ok(["kill", id, "15"]);
    await runtime.untilStopped(id);
  });
});

/** signal(7), in the order of the numbers from 1 on. */
const NAMES = [
  ..."HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT".split(" "),
  ..."CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(" "),
];

Deno.test("kill sends every signal by name", async () => {
  await withRecorder(async (runtime, id, bundle) => {
    const all = NAMES.map((name, index) => [index % 2 ? name : `SIG${name}`, index + 1] as const);
    const caught = all.filter(([, number]) => ![9, 15, 19].includes(number));
    const small: [string, number][] = [["usr1", 10], ["sigusr2", 12]];
    // crun 1.8 takes small letters for 0.
    await sendAll(runtime, id, bundle, new Map([...caught, ...(PEER === "crun" ? [] : small)]));
    await runtime.ok(["kill", id, "SIGSTOP"]);
    const { pid } = await runtime.state(id);
    const state = () => Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]![0];
    await until("it is stopped", () => state() === "T");
    await runtime.ok(["kill", id, "CONT"]);
    await until("it goes on", () => state() !== "T");
    await runtime.ok(["kill", id, "TERM"]);
    await runtime.untilStopped(id);
  });
});

Deno.test("kill knows real-time signals by name", RUNTS_ONLY, async () => { // runc and crun do not
  await withRecorder(async (runtime, id, bundle) => {
    const names = new Map([["RTMIN+3", 37], ["SIGRTMAX-1", 63], ["RTMAX", 64], ["sigusr2", 12]]);
    await sendAll(runtime, id, bundle, names);
    const unknown = await runtime.run(["kill", id, "NOPE"]);
    assertEquals(unknown, {
      code: 1,
      stdout: "",
      stderr: 'runts: kill: unknown signal "NOPE"\n',
    });
  });
});

Deno.test("kill without a signal sends the stop signal of the image", RUNTS_ONLY, async () => {
  await withRecorder(async (runtime, id, bundle) => {
    await runtime.ok(["kill", id]);
    await until("it has come", () => recorded(bundle).length === 2);
    assertEquals(recorded(bundle), ["ready", "39"]);
  }, (config) => config.annotations = { "org.opencontainers.image.stopSignal": "SIGRTMIN+5" });
});

Deno.test(
  "kill without a signal says what is wrong with that of the image",
  RUNTS_ONLY,
  async () => {
    await withRecorder(async (runtime, id) => {
      assertEquals(await runtime.run(["kill", id]), {
        code: 1,
        stdout: "",
        stderr: `runts: kill "${id}": annotations["org.opencontainers.image.stopSignal"]: ` +
          'unknown signal "MOON"\n',
      });
    }, (config) => config.annotations = { "org.opencontainers.image.stopSignal": "MOON" });
  },
);

// To init of a pid namespace the kernel gives no signal that it has no handler for; crun has none.
Deno.test("TERM, INT and HUP end a container that waits", { ignore: PEER === "crun" }, async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sleep", "77.1"]);
    for (const signal of ["TERM", "INT", "HUP"]) {
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      await runtime.ok(["kill", id, signal]);
      await runtime.untilStopped(id);
      const { code, stderr } = await runtime.run(["start", id]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "cannot start a container that has stopped");
      await runtime.ok(["delete", id]);
    }
  });
});

Deno.test("kill of a container that has stopped", RUNTS_ONLY, async () => { // other words
  await withRecorder(async (runtime, id) => {
    await runtime.ok(["kill", id, "KILL"]);
    await runtime.untilStopped(id);
    for (const signal of ["TERM", "KILL", "0"]) {
      assertEquals(await runtime.run(["kill", id, signal]), {
        code: 1,
        stdout: "",
        stderr: `runts: kill "${id}": container not running\n`,
      });
    }
    assertEquals((await runtime.run(["kill", "--all", id, "KILL"])).code, 0);
  });
});

Deno.test("kill --all reaches processes that exec started", async () => {
  await withRecorder(async (runtime, id, bundle) => {
    const script = "exec payload signals >/second";
    await runtime.ok(["exec", "--detach", id, "sh", "-c", script]);
    const second = () => recorded(bundle, "second");
    await until("the second is ready", () => second().length === 1);
    await runtime.ok(["kill", "--all", id, "USR1"]);
    await until("both have it", () => second().length === 2 && recorded(bundle).length === 2);
    assertEquals([second(), recorded(bundle)], [["ready", "10"], ["ready", "10"]]);
  });
});

Deno.test("a paused container gets a signal when it is resumed, and KILL at once", {
  ignore: PEER === "crun", // crun 1.8 does not thaw it
}, async () => {
  await withRecorder(async (runtime, id, bundle) => {
    await runtime.ok(["pause", id]);
    await runtime.ok(["kill", id, "USR1"]);
    assertEquals(recorded(bundle), ["ready"]);
    await runtime.ok(["resume", id]);
    await until("it has come", () => recorded(bundle).length === 2);
    await runtime.ok(["pause", id]);
    await runtime.ok(["kill", id, "KILL"]);
    await runtime.untilStopped(id);
  });
});

Deno.test("run hands on the signals that it gets", { ignore: PEER === "crun" }, async () => {
  // crun's line needs a shell around it here
  await withRuntime(async (runtime) => {
    using bundle = await recorder();
    const words = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
    const [executable, ...args] = commandLine(runtime.executable, words);
    const process = new Deno.Command(executable!, { args, stdin: "null" }).spawn();
    await until("it is ready", () => recorded(bundle)[0] === "ready");
    const signals: [Deno.Signal, number][] = [
      ["SIGHUP", 1],
      ["SIGINT", 2],
      ["SIGQUIT", 3],
      ["SIGUSR1", 10],
      ["SIGUSR2", 12],
      ["SIGCONT", 18],
      ["SIGTSTP", 20],
      ["SIGTERM", 15],
    ];
    const expected = ["ready"];
    for (const [name, number] of signals) {
      process.kill(name);
      expected.push(String(number));
      await until(`${name} has come`, () => recorded(bundle).at(-1) === String(number));
    }
    if (PEER === "runts") assertEquals(recorded(bundle), expected); // runc 1.1 sends some twice
    assertEquals((await process.status).code, 0);
  });
});

Deno.test(
  "a signal that comes to run while it makes the container ends that",
  RUNTS_ONLY,
  async () => {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        const { process, linux } = config;
        process.args = ["sleep", "1000"];
        // The first process of a pid namespace would not be ended once it is the program.
        linux.namespaces = linux.namespaces.filter(({ type }: { type: string }) => type !== "pid");
        const hook = { path: "/bin/sh", args: ["sh", "-c", "kill -TERM $PPID"] };
        config.hooks = { createRuntime: [hook] };
      });
      const id = runtime.id();
      const { code, stderr } = await runtime.run(["run", "--bundle", bundle.path, id]);
      // Init may have come to be the program meanwhile.
      const early = "init ended before it (was started|executed the program): killed by SIGTERM";
      assertMatch(`${code} ${stderr}`, new RegExp(`^(143 |1 runts: run "${id}": ${early}\n)$`));
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    });
  },
);

Deno.test("exec hands on the signals that it gets", { ignore: PEER === "crun" }, async () => {
  await withSleeper((config) => config.root.readonly = false, async ({ runtime, id, bundle }) => {
    const words = ["--root", runtime.root, "exec", id, "sh", "-c", "exec payload signals >/out"];
    const [executable, ...args] = commandLine(runtime.executable, words);
    const process = new Deno.Command(executable!, { args, stdin: "null" }).spawn();
    await until("it is ready", () => recorded(bundle)[0] === "ready");
    process.kill("SIGUSR2");
    await until("it has come", () => recorded(bundle).length === 2);
    process.kill("SIGTERM");
    assertEquals((await process.status).code, 0);
    assertEquals(recorded(bundle), ["ready", "12", "15"]);
  });
});

/** Those that runc hands on: not what cannot be caught, CHLD, WINCH and URG; TERM comes last. */
const FURTHER = Array.from({ length: 64 }, (_, index) => index + 1)
  .filter((number) => ![9, 15, 17, 19, 23, 28, 32, 33, 34].includes(number));

for (const verb of ["run", "exec"]) {
  // runc 1.1 loses one now and then, and crun has those alone that its authors thought of.
  Deno.test(`${verb} hands on every signal`, RUNTS_ONLY, async () => {
    await withSleeper((config) => config.root.readonly = false, async (sleeper) => {
      const { runtime, id, bundle } = sleeper;
      const program = ["sh", "-c", "exec payload signals >/out"];
      bundle.config.process.args = program;
      bundle.save();
      const words = verb === "exec"
        ? ["exec", id, ...program]
        : ["run", "--bundle", bundle.path, runtime.id()];
      const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
      const process = new Deno.Command(line[0]!, { args: line.slice(1), stdin: "null" }).spawn();
      await until("it is ready", () => recorded(bundle)[0] === "ready");
      for (const number of FURTHER) {
        new Deno.Command("bash", { args: ["-c", `kill -${number} ${process.pid}`] }).outputSync();
        await until(`${number} has come`, () => recorded(bundle).at(-1) === String(number));
      }
      process.kill("SIGTERM");
      assertEquals((await process.status).code, 0);
      assertEquals(recorded(bundle), ["ready", ...FURTHER, 15].map(String));
    });
  });
}

/** States of the children of a process. */
function childStates(parent: number): string[] {
  const states: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [state, pid] = Deno.readTextFileSync(`/proc/${name}/stat`).split(") ")[1]!.split(" ");
      if (Number(pid) === parent) states.push(state!);
    } catch {
      // it has gone meanwhile
    }
  }
  return states;
}

for (const caller of [[], ["--block-signal=CHLD"], ["--ignore-signal=CHLD"]]) {
  const name = ["run reaps the orphans of a container in the host's pid namespace", ...caller];
  Deno.test(name.join(", env "), {
    ignore: PEER === "crun", // crun 1.8 leaves them
  }, async () => {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        const { process, linux } = config;
        process.args = ["payload", "orphans", "5"];
        linux.namespaces = linux.namespaces.filter((one: Config) => one.type !== "pid");
      });
      await addPayload(bundle, "payload");
      const words = ["--root", runtime.root, "run", "--bundle", bundle.path, runtime.id()];
      const process = new Deno.Command("env", {
        args: [...caller, runtime.executable, ...words],
        stdin: "null",
        stdout: "piped",
      }).spawn();
      const reader = process.stdout.getReader();
      assertEquals(new TextDecoder().decode((await reader.read()).value), "orphans made\n");
      await until("only init is left", () => childStates(process.pid).join("") === "S");
      process.kill("SIGTERM");
      assertEquals((await process.status).code, 143);
      await reader.cancel();
    });
  });
}

Deno.test("a container's orphans die with its pid namespace", async () => {
  await withRuntime(async (runtime) => {
    const marker = 7_000_000 + Deno.pid;
    const output = await runtime.container((config) => {
      config.process.args = ["sh", "-c", `(sleep ${marker} &); exit 3`];
    });
    assertEquals(output, { code: 3, stdout: "", stderr: "" });
    const { stdout } = await new Deno.Command("pgrep", { args: ["-f", `sleep ${marker}`] })
      .output();
    assertEquals(new TextDecoder().decode(stdout), "");
  });
});
