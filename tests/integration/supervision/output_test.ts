/** Logs, attachments and supervised execs. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { EIO } from "../../../lib/base/errno.ts";
import { errnoOf } from "../../../lib/base/errors.ts";
import { openPty } from "../../support/pty.ts";
import { commandLine, until } from "../../support/runtime.ts";
import { record, runScript, supervisionTest } from "../../support/supervised.ts";

supervisionTest("logs gives each line where it was written", async (runtime, bundle) => {
  for (const driver of ["cri", "json-file"]) {
    const id = await runScript(
      ...[runtime, bundle, "echo one; echo two >&2; printf three", "--log-driver", driver] as const,
    );
    await runtime.ok(["wait", id]);
    const { code, stdout, stderr } = await runtime.run(["logs", id]);
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: "one\nthree", stderr: "two\n" });
    assertEquals(await runtime.ok(["logs", "--tail", "1", id]), "three");
    const stamped = await runtime.ok(["logs", "--timestamps", "--tail", "1", id]);
    assertMatch(stamped, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z three$/);
    assertEquals(await runtime.ok(["logs", "--since", "2100-01-01", id]), "");
    assertEquals(await runtime.ok(["logs", "--since", "10m", id]), "one\nthree");
    await runtime.ok(["delete", id]);
  }
});

supervisionTest("logs can be anywhere, and of any form", async (runtime, bundle) => {
  const path = `${bundle.path}/web.log`;
  const id = await runScript(
    ...[
      runtime,
      bundle,
      "printf 'a\\0\\377\\n'",
      "--log-driver",
      "raw",
      "--log-path",
      path,
    ] as const,
  );
  await runtime.ok(["wait", id]);
  assertEquals([...Deno.readFileSync(path)], [0x61, 0, 0xff, 0x0a]);
  const { code, stderr } = await runtime.run(["logs", "--since", "1m", id]);
  const message = `log driver "raw" keeps no times: read it without --since`;
  assertEquals({ code, stderr: stderr.includes(message) }, { code: 1, stderr: true });
  await runtime.ok(["delete", id]);
  assertEquals(Deno.readFileSync(path).length, 4);
});

supervisionTest(
  "followed logs end with the container, restarts included",
  async (runtime, bundle) => {
    const id = await runScript(
      ...[runtime, bundle, "echo life; exit 1", "--restart", "on-failure:2"] as const,
    );
    assertEquals(await runtime.ok(["logs", "--follow", id]), "life\nlife\nlife\n");
    await runtime.ok(["delete", id]);
  },
);

supervisionTest("no line is lost or doubled while files are put aside", async (runtime, bundle) => {
  const script = "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done";
  const id = await runScript(
    ...[runtime, bundle, script, "--log-max-size", "16k", "--log-max-files", "50"] as const,
  );
  const expected = Array.from({ length: 5000 }, (_, number) => `line ${number}\n`).join("");
  assertEquals(await runtime.ok(["logs", "--follow", id]), expected);
  assertEquals(await runtime.ok(["logs", id]), expected);
  const files = [...Deno.readDirSync(`${runtime.root}/${id}`)].map(({ name }) => name);
  assert(files.includes("output.log.5"), files.join(" "));
  await runtime.ok(["delete", id]);
});

supervisionTest("a supervised exec has its own end and streams", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "sleep 1000");
  const run = (...words: string[]) => runtime.run(["exec", "--supervised", ...words]);
  const { code, stdout, stderr } = await run(id, "sh", "-c", "echo out; echo err >&2; exit 4");
  assertEquals({ code, stdout, stderr }, { code: 4, stdout: "out\n", stderr: "err\n" });
  assertEquals((await run("--detach", id, "sh", "-c", "kill -9 $$")).stdout, "exec-2\n");
  assertEquals(await runtime.ok(["wait", "--process", "exec-2", id]), "137\n");
  assertEquals(await runtime.ok(["wait", "--process", "exec-1", id]), "4\n");
  const backup = ["exec", "--detach", "--name", "backup", id, "sleep", "1000"];
  assertEquals(await runtime.ok(backup), "backup\n");
  const twice = await runtime.run(backup);
  assertEquals(twice.stderr, `runts: exec "${id}": it has a process "backup" that runs\n`);
  assertEquals(twice.code, 255);
  const { pid } = record(runtime, id, "processes/backup/process.json");
  Deno.kill(pid, "SIGTERM");
  assertEquals(await runtime.ok(["wait", "--process", "backup", id]), "143\n");
  const none = await runtime.run(["wait", "--process", "none", id]);
  assertEquals(none.stderr, `runts: wait "${id}": it has no process "none"\n`);
  const missing = await run(id, "no-such-program");
  assertEquals(missing.code, 255);
  assertEquals(
    JSON.parse(await runtime.ok(["inspect", id])).processes.map((one: { name: string }) =>
      one.name
    ),
    ["init", "backup", "exec-1", "exec-2"],
  );
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest("input goes in, and ends when it is closed", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, "cat", "--interactive");
  const control = `${runtime.root}/${id}/processes/init/control`;
  Deno.writeTextFileSync(control, "nonsense\nresize 10 10\n");
  const attached = runtime.run(["attach", id], { stdin: "hello\n" });
  await until(
    "it is in the log",
    () => Deno.readTextFileSync(`${runtime.root}/${id}/output.log`).includes("hello"),
  );
  Deno.writeTextFileSync(control, "close-stdin\n");
  const { code, stdout } = await attached;
  assertEquals({ code, stdout }, { code: 0, stdout: "hello\n" });
  assertEquals(await runtime.ok(["wait", id]), "0\n");
  await runtime.ok(["delete", id]);
  const { stderr } = await runtime.run(["attach", id]);
  assertEquals(stderr, `runts: attach "${id}": container does not exist\n`);
});

supervisionTest("a terminal is attached to, left, and found as it was", async (runtime, bundle) => {
  bundle.config.process.terminal = true;
  const id = await runScript(
    ...[runtime, bundle, "echo begin; read word; echo got $word; stty size; exit 3"] as const,
  );
  const helper = await loadHelper();
  const attach = async (typed: string, wanted: string) => {
    const { master, path } = openPty();
    helper.setWindowSize(master, { rows: 33, cols: 99 });
    const line = commandLine(runtime.executable, ["--root", runtime.root, "attach", id]);
    const process = new Deno.Command("sh", {
      args: ["-c", `exec setsid -c "$@" <>${path} >&0 2>&0`, "sh", ...line],
      stdin: "null",
    }).spawn();
    let shown = "";
    const read = () => {
      try {
        const bytes = helper.readAvailable(master, 4096);
        if (bytes instanceof Uint8Array) shown += new TextDecoder().decode(bytes);
      } catch (error) {
        assertEquals(errnoOf(error), EIO); // nobody has the terminal open any more
      }
      return shown.includes(wanted);
    };
    await until(`${JSON.stringify(wanted)} is shown`, read);
    helper.write(master, new TextEncoder().encode(typed));
    const { code } = await process.status;
    read();
    helper.close(master);
    return { code, shown };
  };
  const left = await attach("\x10\x11", "begin");
  assertEquals(left.code, 0);
  assertEquals((await runtime.state(id)).status, "running");
  const ended = await attach("word\r", "begin");
  assertEquals(ended.code, 3);
  assertMatch(ended.shown, /got word\r\n33 99\r\n/);
  await runtime.ok(["delete", id]);
});
