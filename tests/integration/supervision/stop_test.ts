/** `stop`, with and without a monitor. */

import { assert, assertEquals } from "@std/assert";
import { runtimeTest } from "../../support/host.ts";
import { Bundle } from "../../support/bundle.ts";
import { RUNTS_ONLY, until } from "../../support/runtime.ts";
import { runScript, supervisionTest } from "../../support/supervised.ts";

const POLITE = ": >/tmp/ready; trap 'exit 7' TERM; while :; do sleep 0.01; done";
const DEAF = "trap '' TERM; : >/tmp/ready; while :; do sleep 0.01; done";

/** A root filesystem whose /tmp can be written to. */
function writable(config: { root: { readonly: boolean } }): void {
  config.root.readonly = false;
}

async function untilReady(bundle: Bundle): Promise<void> {
  await until("it is ready", () => {
    try {
      Deno.removeSync(`${bundle.rootfs}/tmp/ready`);
      return true;
    } catch {
      return false;
    }
  });
}

supervisionTest("stop asks, and a program may answer", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, POLITE);
  await untilReady(bundle);
  await runtime.ok(["stop", id]);
  assertEquals((await runtime.state(id)).status, "stopped");
  assertEquals(await runtime.ok(["wait", id]), "7\n");
  await runtime.ok(["stop", id]);
  await runtime.ok(["delete", id]);
}, writable);

supervisionTest("who does not listen is killed at the time-out", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, DEAF, "--stop-timeout", "300ms");
  await untilReady(bundle);
  const before = performance.now();
  await runtime.ok(["stop", id]);
  const took = performance.now() - before;
  assert(took >= 300 && took < 9_000, `${took} ms`);
  assertEquals(await runtime.ok(["wait", id]), "137\n");
  await runtime.ok(["delete", id]);
}, writable);

supervisionTest("a paused container is stopped, too", async (runtime, bundle) => {
  const id = await runScript(runtime, bundle, POLITE);
  await untilReady(bundle);
  await runtime.ok(["pause", id]);
  await runtime.ok(["stop", id]);
  assertEquals(await runtime.ok(["wait", id]), "7\n");
  await runtime.ok(["delete", id]);
}, writable);

supervisionTest("a container that was never started has nobody to ask", async (runtime, bundle) => {
  bundle.config.process.args = ["sleep", "1000"];
  bundle.save();
  const id = runtime.id();
  await runtime.ok(["create", "--supervised", "--restart", "always", "--bundle", bundle.path, id]);
  await runtime.ok(["stop", "--timeout", "100s", id]);
  assertEquals(await runtime.ok(["wait", id]), "137\n");
  await runtime.ok(["delete", id]);
});

runtimeTest("stop works without a monitor", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(writable);
  bundle.config.process.args = ["sh", "-c", DEAF];
  bundle.save();
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  await untilReady(bundle);
  await runtime.ok(["stop", "--timeout", "200ms", id]);
  assertEquals((await runtime.state(id)).status, "stopped");
  await runtime.ok(["stop", id]);
  await runtime.ok(["delete", id]);
  const { code, stderr } = await runtime.run(["stop", id]);
  const message = `runts: stop "${id}": container does not exist\n`;
  assertEquals({ code, stderr }, { code: 1, stderr: message });
});
