/** What the front does without Deno needs no rights either. */

import { assertEquals } from "@std/assert";
import type { Config } from "../../support/bundle.ts";
import { SHORT, TELLING, told } from "../../support/cold.ts";
import { until } from "../../support/runtime.ts";
import { OURS, rootless, shell } from "../../support/rootless.ts";

/** As podman does it: root of a user namespace. */
const AS_ROOT = ["unshare", "--user", "--map-root-user", "--mount"];

for (const around of [[], AS_ROOT]) {
  const who = around.length === 0 ? "a user" : "root of a user namespace";
  rootless(`${who} needs one Deno for a container`, async (user) => {
    using bundle = await user.bundle((config) => {
      shell("while :; do sleep 0.05; done")(config);
      if (around === AS_ROOT) {
        config.linux.namespaces = config.linux.namespaces.filter((one: Config) =>
          one.type !== "user"
        );
        delete config.linux.uidMappings;
        delete config.linux.gidMappings;
      }
    });
    const name = user.name();
    const call = async (...args: string[]) =>
      told(
        await user.command([
          ...around,
          "env",
          "LD_PRELOAD=" + TELLING.LD_PRELOAD,
          user.runtime,
          ...args,
        ]),
      );
    const state = async () => {
      const { stdout, ...rest } = await call("state", name);
      assertEquals({ ...rest, stdout: "" }, SHORT);
      return JSON.parse(stdout);
    };
    const { code, stderr } = await call("create", "--bundle", bundle.path, name);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    assertEquals((await state()).status, "created");
    assertEquals(await call("start", name), SHORT);
    assertEquals((await state()).status, "running");
    assertEquals(await call("kill", name, "KILL"), SHORT);
    await until("it has stopped", async () => (await state()).status === "stopped");
    assertEquals(await call("delete", name), SHORT);
    assertEquals(await call("delete", "--force", name), SHORT);
    assertEquals(user.containers(), []);
  }, OURS);
}
