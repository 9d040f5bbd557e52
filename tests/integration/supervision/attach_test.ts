/** `attach`: when it ends, and how it leaves its terminal. */

import { assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { EIO } from "../../../lib/base/errno.ts";
import { errnoOf } from "../../../lib/base/errors.ts";
import { openPty } from "../../support/pty.ts";
import { command, commandLine, until } from "../../support/runtime.ts";
import { monitorsOf, runScript, supervisionTest } from "../../support/supervised.ts";

/** O_RDWR | O_NOCTTY */
const FLAGS = 0o2 | 0o400;

supervisionTest(
  "attach ends with its program, though that is started anew",
  async (runtime, bundle) => {
    const script = 'read word; echo "got $word"; exit 3';
    const id = await runScript(runtime, bundle, script, "--interactive", "--restart", "always");
    const { code, stdout, stderr } = await runtime.run(["attach", id], { stdin: "word\n" });
    assertEquals({ code, stdout, stderr }, { code: 3, stdout: "got word\n", stderr: "" });
    await runtime.ok(["delete", "--force", id]);
  },
);

supervisionTest("attach says that nobody will tell of an end", async (runtime, bundle) => {
  const script = "read word; echo $word; sleep 1000";
  const id = await runScript(runtime, bundle, script, "--interactive");
  const attached = runtime.run(["attach", id], { stdin: "word\n" });
  await until("it is attached", async () => await runtime.ok(["logs", id]) === "word\n");
  Deno.kill(monitorsOf(runtime)[0]!, "SIGKILL");
  const { code, stdout, stderr } = await attached;
  const told = `runts: wait "${id}": its monitor has ended\n`;
  assertEquals({ code, stdout, stderr }, { code: 1, stdout: "word\n", stderr: told });
  await runtime.ok(["delete", "--force", id]);
});

supervisionTest(
  "a signal that ends attach leaves its terminal as it was",
  async (runtime, bundle) => {
    bundle.config.process.terminal = true;
    const id = await runScript(runtime, bundle, "echo ready; sleep 1000");
    const helper = await loadHelper();
    const { master, path } = openPty();
    const other = helper.open(path, FLAGS); // while somebody has it open, its settings stay
    const settings = async () => (await command(["stty", "-F", path, "-g"])).stdout;
    const before = await settings();
    const line = commandLine(runtime.executable, ["--root", runtime.root, "attach", id]);
    for (const [signal, number] of [["SIGTERM", 15], ["SIGHUP", 1], ["SIGINT", 2]] as const) {
      const process = new Deno.Command("sh", {
        args: ["-c", `exec "$@" <>${path} >&0 2>&0`, "sh", ...line],
        stdin: "null",
      }).spawn();
      await until("what is typed is the program's", async () => await settings() !== before);
      process.kill(signal);
      assertEquals((await process.status).code, 128 + number);
      assertEquals(await settings(), before);
    }
    helper.close(other);
    helper.close(master);
    assertEquals((await runtime.state(id)).status, "running");
    await runtime.ok(["delete", "--force", id]);
  },
);

supervisionTest("a key that interrupts is for the program", async (runtime, bundle) => {
  bundle.config.process.terminal = true;
  const script = "trap 'echo asked; exit 6' INT; echo ready; while :; do sleep 0.01; done";
  const id = await runScript(runtime, bundle, script);
  const helper = await loadHelper();
  const { master, path } = openPty();
  const line = commandLine(runtime.executable, ["--root", runtime.root, "attach", id]);
  const attached = command(["sh", "-c", `exec setsid -c "$@" <>${path} >&0 2>&0`, "sh", ...line]);
  let shown = "";
  const isShown = (wanted: string) => {
    try {
      const bytes = helper.readAvailable(master, 4096);
      if (bytes instanceof Uint8Array) shown += new TextDecoder().decode(bytes);
    } catch (error) {
      assertEquals(errnoOf(error), EIO); // nobody has the terminal open
    }
    return shown.includes(wanted);
  };
  await until("it is attached", () => isShown("ready"));
  helper.write(master, new Uint8Array([3]));
  await until("the program was asked", () => isShown("asked"));
  assertEquals((await attached).code, 6);
  helper.close(master);
  assertEquals(await runtime.ok(["wait", id]), "6\n");
  await runtime.ok(["delete", id]);
});
