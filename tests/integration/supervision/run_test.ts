/** `run --supervised` in the foreground: joined to the program from its beginning, and what stays. */

import { assertEquals, assertMatch } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { EIO } from "../../../lib/base/errno.ts";
import { errnoOf } from "../../../lib/base/errors.ts";
import { hook } from "../../support/hooks.ts";
import { openPty } from "../../support/pty.ts";
import { command, commandLine, until } from "../../support/runtime.ts";
import { eventTypes, monitorsOf, record, supervisionTest } from "../../support/supervised.ts";

supervisionTest(
  "run has output and exit code, and the container stays",
  async (runtime, bundle) => {
    bundle.config.process.args = ["sh", "-c", "echo out; echo err >&2; cat; exit 3"];
    bundle.save();
    const id = runtime.id();
    const words = ["run", "--supervised", "--bundle", bundle.path, id];
    const output = await runtime.run(words, { stdin: "nobody reads it\n" });
    assertEquals(output, { code: 3, stdout: "out\n", stderr: "err\n" });
    assertEquals(await runtime.ok(["wait", id]), "3\n");
    const logged = await runtime.run(["logs", id]);
    assertEquals(logged, { code: 0, stdout: "out\n", stderr: "err\n" });
    await runtime.ok(["delete", id]);
    assertEquals(eventTypes(runtime, id), ["created", "started", "exited", "removed"]);
  },
);

supervisionTest("what is typed goes to a program that takes it", async (runtime, bundle) => {
  bundle.config.process.args = ["cat"];
  bundle.save();
  const id = runtime.id();
  const words = ["run", "--interactive", "--bundle", bundle.path, id];
  const output = await runtime.run(words, { stdin: "one\ntwo\n" });
  assertEquals(output, { code: 0, stdout: "one\ntwo\n", stderr: "" });
  await runtime.ok(["delete", id]);
});

supervisionTest("signals are handed on to the program", async (runtime, bundle) => {
  const script = "for s in HUP INT USR1 TERM; do trap \"echo $s\" $s; done; trap 'exit 9' QUIT; " +
    "echo ready; while :; do sleep 0.01; done";
  bundle.config.process.args = ["sh", "-c", script];
  bundle.save();
  const id = runtime.id();
  const [executable, ...args] = commandLine(runtime.executable, [
    ...["--root", runtime.root, "run", "--supervised", "--bundle", bundle.path, id],
  ]);
  const process = new Deno.Command(executable!, { args, stdin: "null", stdout: "piped" }).spawn();
  const signals = ["SIGHUP", "SIGINT", "SIGUSR1", "SIGTERM", "SIGQUIT"] as const;
  let said = "";
  let sent = 0;
  for await (const chunk of process.stdout.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    if (said.split("\n").length - 2 === sent) process.kill(signals[sent++]!);
  }
  assertEquals((await process.status).code, 9);
  assertEquals(said, "ready\nHUP\nINT\nUSR1\nTERM\n");
  await runtime.ok(["delete", id]);
});

supervisionTest(
  "it ends with its program, though that is started anew",
  async (runtime, bundle) => {
    bundle.config.process.args = ["sh", "-c", "echo life; exit 4"];
    bundle.save();
    const id = runtime.id();
    const options = ["--restart", "on-failure:1", "--bundle", bundle.path, id];
    const { code, stdout, stderr } = await runtime.run(["run", ...options]);
    assertEquals({ code, stdout, stderr }, { code: 4, stdout: "life\n", stderr: "" });
    assertEquals(await runtime.ok(["wait", id]), "4\n");
    assertEquals(record(runtime, id, "supervised.json").restarts, 1);
    await runtime.ok(["delete", id]);
  },
);

supervisionTest("a run that fails leaves nothing", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  const wrong = [
    [
      { poststart: [hook("exit 7")] },
      ["sleep", "1000"],
      /^hooks\.poststart\[0\]: .* status 7 after/,
    ],
    [
      { createRuntime: [hook("exit 8")] },
      ["sleep", "1000"],
      /^hooks\.createRuntime.* status 8 after/,
    ],
    [{}, ["none"], /^process\.args\[0\]: exec: "none": executable file not found in \$PATH/],
  ] as const;
  for (const [hooks, args, message] of wrong) {
    bundle.config.hooks = { ...hooks };
    bundle.config.process.args = args;
    bundle.save();
    const id = runtime.id();
    const words = ["run", "--supervised", "--bundle", bundle.path, id];
    const { code, stdout, stderr } = await runtime.run(words);
    assertEquals([code, stdout, stderr.split("\n").length], [1, "", 2], stderr);
    const command = `runts: run "${id}": `;
    assertEquals(stderr.slice(0, command.length), command);
    assertMatch(stderr.slice(command.length), message);
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
    assertEquals(monitorsOf(runtime), []);
  }
});

supervisionTest(
  "a terminal is left by its keys, and the program goes on",
  async (runtime, bundle) => {
    bundle.config.process.args = ["sh", "-c", "stty size; echo begin; exec sleep 1000"];
    bundle.config.process.terminal = true;
    bundle.save();
    const id = runtime.id();
    const helper = await loadHelper();
    const { master, path } = openPty();
    helper.setWindowSize(master, { rows: 33, cols: 99 });
    const line = commandLine(runtime.executable, [
      ...["--root", runtime.root, "run", "--supervised", "--bundle", bundle.path, id],
    ]);
    const leaving = command(["sh", "-c", `exec setsid -c "$@" <>${path} >&0 2>&0`, "sh", ...line]);
    let shown = "";
    await until("it has begun", () => {
      try {
        const bytes = helper.readAvailable(master, 4096);
        if (bytes instanceof Uint8Array) shown += new TextDecoder().decode(bytes);
      } catch (error) {
        assertEquals(errnoOf(error), EIO); // nobody has the terminal open yet
      }
      return shown.includes("begin");
    });
    assertMatch(shown, /^33 99\r\nbegin/);
    helper.write(master, new Uint8Array([0x10, 0x11]));
    assertEquals((await leaving).code, 0);
    helper.close(master);
    assertEquals((await runtime.state(id)).status, "running");
    await runtime.ok(["delete", "--force", id]);
  },
);
