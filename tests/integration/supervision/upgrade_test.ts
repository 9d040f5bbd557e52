/** Containers that outlive an upgrade: their monitor is that of the former build, all else of this one. */

import { assert, assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { Monitor } from "../../../lib/body/monitor_client.ts";
import { isRunning } from "../../support/host.ts";
import { OTHER_BUILD, otherExecutable } from "../../support/other_build.ts";
import { command, RUNTIME, until } from "../../support/runtime.ts";
import { eventTypes, monitorsOf, record, supervisionTest } from "../../support/supervised.ts";

const SCRIPT = 'echo life; read word; echo "got $word"; exit 4';

supervisionTest("a monitor of a former build serves this one", async (runtime, bundle) => {
  bundle.config.process.args = ["sh", "-c", SCRIPT];
  bundle.save();
  // It is in one place before and after, as a package has it.
  const place = `${bundle.path}/runts`;
  Deno.copyFileSync(await otherExecutable(), place);
  const id = runtime.id();
  const options = ["--interactive", "--restart", "on-failure:1", "--bundle", bundle.path, id];
  const words = ["--root", runtime.root, "run", "--detach", ...options];
  assertEquals(await command([place, ...words]), { code: 0, stdout: "", stderr: "" });
  const [monitor] = monitorsOf(runtime);
  {
    using asked = await Monitor.connect(await loadHelper(), `${runtime.root}/${id}/monitor.sock`);
    assertEquals((await asked.hello()).buildId, OTHER_BUILD);
  }
  Deno.copyFileSync(RUNTIME, `${place}.new`);
  Deno.renameSync(`${place}.new`, place);

  assertEquals((await runtime.state(id)).status, "running");
  const executed = await runtime.run(["exec", "--supervised", id, "sh", "-c", "echo in; exit 6"]);
  assertEquals(executed, { code: 6, stdout: "in\n", stderr: "" });
  assertEquals(await runtime.ok(["wait", "--process", "exec-1", id]), "6\n");
  const attached = await runtime.run(["attach", id], { stdin: "one\n" });
  assertEquals(attached, { code: 4, stdout: "got one\n", stderr: "" });
  // It runs the command that is in that place now, which starts a new init below it.
  await until("it is started anew", () => eventTypes(runtime, id).length === 5);
  assertEquals(monitorsOf(runtime), [monitor]);
  const { pid } = await runtime.state(id);
  assertEquals(record(runtime, id, "processes/init/process.json").monitor.pid, monitor);
  await runtime.ok(["restart", "--timeout", "0", id]);
  assert(!isRunning(pid));
  assertEquals(await runtime.ok(["logs", id]), "life\ngot one\nlife\nlife\n");
  await runtime.ok(["stop", "--timeout", "0", id]);
  assertEquals(await runtime.ok(["wait", id]), "137\n");
  await runtime.ok(["delete", id]);
  assertEquals(monitorsOf(runtime), []);
});
