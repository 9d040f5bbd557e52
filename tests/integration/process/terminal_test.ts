/** Terminals of containers and of exec, in front of a real one. */

import { assert, assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { Bundle, type Config } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import { commandLine, PEER, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { type Seen, type Sleeper, withSleeper } from "../../support/seen.ts";
import { Session } from "../../support/session.ts";

const SIZE = { rows: 33, cols: 101 };

/** `run` of a container with a terminal, in a session. */
function runTest(
  name: string,
  args: readonly string[],
  body: (session: Session, id: string) => Promise<void>,
  edit: (config: Config) => void = () => {},
  options: { ignore?: boolean } = {},
): void {
  Deno.test({
    name: `run on a terminal ${name}`,
    ...options,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle((config) => {
          config.process.args = args;
          config.process.terminal = true;
          edit(config);
        });
        await addPayload(bundle, "payload");
        const id = runtime.id();
        const words = ["--root", runtime.root, "run", "--bundle", bundle.path, id];
        await using session = await Session.start(commandLine(runtime.executable, words), SIZE);
        await body(session, id);
        await runtime.run(["delete", "--force", id]);
      }),
  });
}

/** `exec --tty` in a session. */
function execSession({ runtime, id }: Sleeper, words: readonly string[]): Promise<Session> {
  const args = ["--root", runtime.root, "exec", "--tty", id, ...words];
  return Session.start(commandLine(runtime.executable, args), SIZE);
}

runTest(
  "has its size before the first command",
  ["stty", "size"],
  async (session) => {
    assertEquals(await session.end(), 0);
    assertEquals(session.output.trim(), "33 101");
    assertEquals(session.mode(), session.modeBefore);
  },
  undefined,
  RUNTS_ONLY,
); // the peers set it when the program already runs

runTest("is a session with /dev/console", ["payload", "report"], async (session) => {
  assertEquals(await session.end(), 0);
  const seen = JSON.parse(session.output) as Seen;
  assertEquals([seen.pid, seen.session, seen.group, seen.foreground], [1, 1, 1, 1]);
  assertEquals([seen.fds[0], seen.fds[1], seen.fds[2]], Array(3).fill("/dev/pts/0"));
  assertEquals(Object.keys(seen.fds), ["0", "1", "2"]);
});

runTest(
  "owns its terminal, also as /dev/console",
  [
    "sh",
    "-c",
    "stat -c '%u %g %a %F' /dev/pts/0; stat -c %t:%T /dev/console /dev/pts/0; tty",
  ],
  async (session) => {
    assertEquals(await session.end(), 0);
    assertEquals(session.output.replaceAll("\r", "").split("\n"), [
      "5 5 620 character special file",
      "88:0",
      "88:0",
      "/dev/pts/0",
      "",
    ]);
  },
  (config) => config.process.user = { uid: 5, gid: 6 },
  { ignore: PEER === "crun" },
); // its /dev/console is not the terminal for stat

runTest(
  "follows the window",
  ["payload", "sizes"],
  async (session) => {
    await session.shows("33 101");
    session.resize({ rows: 44, cols: 55 });
    await session.shows("44 55");
    session.kill("SIGTERM");
    assertEquals(await session.end(), 0);
  },
  undefined,
  { ignore: PEER === "crun" },
); // the line needs a shell around it here

runTest(
  "takes consoleSize",
  ["stty", "size"],
  async (session) => {
    assertEquals(await session.end(), 0);
    assertEquals(session.output.trim(), "33 101"); // the caller's window is what the user looks at
  },
  (config) => config.process.consoleSize = { height: 7, width: 9 },
  RUNTS_ONLY,
);

runTest("is raw meanwhile and as before afterwards", ["sh"], async (session) => {
  await session.shows("# ");
  assert(session.mode() !== session.modeBefore);
  session.type("echo $((6*7)); exit 9\n");
  assertEquals(await session.end(), 9);
  assert(session.output.includes("42"));
  assertEquals(session.mode(), session.modeBefore);
});

for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  runTest(
    `is restored when ${signal} comes`,
    ["payload", "signals"],
    async (session) => {
      await session.shows("ready");
      session.kill(signal);
      await session.shows(signal === "SIGTERM" ? "15" : "1");
      if (signal === "SIGHUP") session.kill("SIGTERM");
      assertEquals(await session.end(), 0);
      assertEquals(session.mode(), session.modeBefore);
    },
    undefined,
    { ignore: PEER === "crun" },
  ); // the line needs a shell around it here
}

runTest("is restored when the program is killed", ["sh"], async (session, id) => {
  await session.shows("# ");
  session.type("kill -9 $$; kill -SEGV $$; exit 4\n"); // the first process is immune to both
  assertEquals(await session.end(), 4);
  assertEquals(session.mode(), session.modeBefore, id);
});

runTest(
  "types interrupts into the container",
  // A child that has not yet executed its program would lose the signal.
  ["sh", "-c", "trap 'exit 8' INT; echo ok; while :; do sleep 0.02; done"],
  async (session) => {
    await session.shows("ok");
    session.type("\x03");
    assertEquals(await session.end(), 8);
  },
);

runTest("loses nothing of a big output", ["payload", "print", "3000000"], async (session) => {
  assertEquals(await session.end(), 0);
  const text = session.output.replaceAll("\r", "");
  const sum = /\d+$/.exec(text)![0];
  const printed = text.slice(0, -sum.length);
  assertEquals(printed.length, 3_000_000);
  let expected = 0;
  for (const byte of new TextEncoder().encode(printed)) {
    expected = (Math.imul(expected, 31) + byte) >>> 0;
  }
  assertEquals(sum, String(expected));
});

Deno.test("exec --tty has size, session and terminal, in a container without one", async () => {
  await withSleeper(() => {}, async (sleeper) => {
    await using session = await execSession(sleeper, ["payload", "report"]);
    assertEquals(await session.end(), 0, session.errors);
    const seen = JSON.parse(session.output) as Seen;
    assertEquals([seen.session, seen.group, seen.foreground], Array(3).fill(seen.pid));
    assertEquals(seen.terminal, "/dev/pts/0");
    assertEquals(session.mode(), session.modeBefore);
    if (PEER === "runts") assertEquals(seen.size, [33, 101]); // the peers set it later
  });
});

function readCommandLine(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`);
  } catch {
    return ""; // it has ended
  }
}

Deno.test("exec --tty passes on input, interrupts and the exit code", async () => {
  await withSleeper(() => {}, async (sleeper) => {
    await using session = await execSession(sleeper, ["sh"]);
    await session.shows("# ");
    session.type("sleep 1001\n");
    // Before it executes that, it is the shell still, which an interrupt does not end.
    const isAsleep = (pid: number) => readCommandLine(pid) === "sleep\u00001001\0";
    await until("it sleeps", async () => (await sleeper.pids()).some(isAsleep));
    session.type("\x03");
    session.type("exit 6\n");
    assertEquals(await session.end(), 6);
  });
});

Deno.test(
  "a terminal without a terminal in front of it: no carriage returns",
  RUNTS_ONLY,
  async () => { // runc 1.1 wants /dev/tty
    await withRuntime(async (runtime) => {
      const output = await runtime.container((config) => {
        config.process.args = ["echo", "one"];
        config.process.terminal = true;
      });
      assertEquals(output, { code: 0, stdout: "one\n", stderr: "" });
    });
  },
);

Deno.test("exec --tty without a terminal in front of it", RUNTS_ONLY, async () => {
  await withSleeper(() => {}, async (sleeper) => {
    const output = await sleeper.exec(["--tty"], ["sh", "-c", "echo one; tty"]);
    assertEquals(output.code, 0);
    assertEquals(output.stdout.replaceAll("\r", ""), "one\n/dev/pts/0\n");
  });
});

Deno.test("--console-socket gets one message with the terminal", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => {
      config.process.args = ["sh", "-c", "stty size; read line; echo got $line"];
      config.process.terminal = true;
      config.process.consoleSize = { height: 12, width: 34 };
    });
    const helper = await loadHelper();
    const path = `${bundle.path}/socket`;
    const listener = helper.listenUnix(path);
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, "--console-socket", path, id]);
    const connection = helper.accept(listener, 60_000);
    const { fd, text } = helper.receiveFd(connection, 60_000);
    assert(text.length > 0 && helper.isTerminal(fd));
    assertEquals(helper.windowSize(fd), { rows: 12, cols: 34 });
    assertEquals(helper.read(connection, new Uint8Array(10)), 0, "nothing comes after it");
    await runtime.ok(["start", id]);
    helper.write(fd, new TextEncoder().encode("word\n"));
    await runtime.untilStopped(id);
    const bytes = new Uint8Array(1000);
    let shown = "";
    while (!shown.includes("got word")) {
      shown += new TextDecoder().decode(bytes.subarray(0, helper.read(fd, bytes)));
    }
    assert(shown.includes("12 34\n") || shown.includes("12 34\r\n"), shown);
    for (const one of [fd, connection, listener]) helper.close(one);
    await runtime.ok(["delete", id]);
  });
});
