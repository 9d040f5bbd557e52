/** Checkpoints by scripts. */

import { assertEquals, assertRejects } from "@std/assert";
import { Container, isRuntsError, lines } from "../../../mod.ts";
import { checkpointTest, CRIU, WITH_CRIU_RUNTS_ONLY } from "../../support/criu.ts";

checkpointTest(
  "a script takes a container and makes it again, with its own streams",
  async (container) => {
    const { runtime: { root }, bundle, id, image: imagePath } = container;
    const settings = { root, id, bundle: bundle.path, stdin: "null", stdout: "piped" } as const;
    const criu = { criu: CRIU, imagePath };
    await using first = await Container.create({ ...settings, stderr: "null" });
    await first.start();
    const words = lines(first.stdout);
    assertEquals((await words.next()).value, "before");
    await first.checkpoint({ ...criu, leaveRunning: true });
    assertEquals((await first.state()).status, "running");
    await first.checkpoint(criu);
    assertEquals(await first.wait(), { success: false, code: 137, signal: "SIGKILL" });
    await assertRejects(() => first.state(), Error, "container does not exist");

    await using second = await Container.restore({ ...settings, ...criu, stderr: "null" });
    assertEquals((await second.state()).status, "running");
    bundle.put("tmp/go", "");
    assertEquals((await lines(second.stdout).next()).value, "after");
    assertEquals((await second.wait()).code, 5);
  },
  (config) => {
    config.process.args = [
      ...["sh", "-c"],
      "echo before; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo after; exit 5",
    ];
  },
  WITH_CRIU_RUNTS_ONLY,
);

checkpointTest("a script may give a terminal and a monitor", async (container) => {
  const { runtime: { root }, bundle, id, image: imagePath } = container;
  const settings = { root, id, bundle: bundle.path, supervised: {} };
  const criu = { criu: CRIU, imagePath };
  await using first = await Container.create(settings);
  await first.start();
  await first.checkpoint(criu);
  await using second = await Container.restore({ ...settings, ...criu });
  bundle.put("tmp/go", "");
  assertEquals((await second.wait()).code, 5);
}, (config) => {
  config.process.terminal = true;
  config.process.args = [
    ...["sh", "-c"],
    "while [ ! -e /tmp/go ]; do sleep 0.05; done; exit 5",
  ];
}, WITH_CRIU_RUNTS_ONLY);

checkpointTest(
  "an aborted signal ends a checkpoint",
  async (container) => {
    const { runtime: { root }, id, image: imagePath } = container;
    await container.run();
    await using open = await Container.open(id, { root });
    const signal = AbortSignal.abort(new Error("given up"));
    const error = await assertRejects(() => open.checkpoint({ criu: CRIU, imagePath, signal }));
    assertEquals(isRuntsError(error), false);
    assertEquals((error as Error).message, "given up");
    assertEquals((await open.state()).status, "running");
  },
  undefined,
  WITH_CRIU_RUNTS_ONLY,
);
