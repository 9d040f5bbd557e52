/** Members that a configuration may leave out, and what stands for them; as with the peers. */

import { assertEquals } from "@std/assert";
import { withRuntime } from "../../support/host.ts";
import type { Config } from "../../support/bundle.ts";
import { PEER } from "../../support/runtime.ts";
import { withSleeper } from "../../support/seen.ts";

const IDS = ["sh", "-c", "echo $(id -u):$(id -g)"];

/** `process.user`, and the ids that a process has then. */
const USERS: readonly [user: Config, ids: string][] = [
  [undefined, "0:0"],
  [{}, "0:0"],
  [{ uid: 1000 }, "1000:0"],
  [{ gid: 1000 }, "0:1000"],
  [{ uid: 7, gid: null }, "7:0"],
];

Deno.test("ids that process.user leaves out are 0", () =>
  withRuntime(async (runtime) => {
    for (const [user, ids] of USERS) {
      const output = await runtime.container((config) => {
        config.process.user = user;
        config.process.args = IDS;
      });
      assertEquals({ user, ...output }, { user, code: 0, stdout: `${ids}\n`, stderr: "" });
    }
  }));

Deno.test("ids that the process document of exec leaves out are 0", () =>
  withSleeper((config) => config.process.user = { uid: 5, gid: 6 }, async (sleeper) => {
    for (const [user, ids] of USERS.slice(1)) {
      const env = ["PATH=/bin"];
      const output = await sleeper.document({ cwd: "/", env, user, args: IDS });
      assertEquals({ user, ...output }, { user, code: 0, stdout: `${ids}\n`, stderr: "" });
    }
  }));

Deno.test({
  name: "exec --user takes the group of a configuration that has none",
  ignore: PEER === "crun", // it does not take its user either
  fn: () =>
    withSleeper((config) => config.process.user = { uid: 5 }, async (sleeper) => {
      for (const [options, ids] of [[[], "5:0"], [["--user", "9"], "9:0"]] as const) {
        const output = await sleeper.exec(options, IDS);
        assertEquals({ ids, ...output }, { ids, code: 0, stdout: `${ids}\n`, stderr: "" });
      }
    }),
});

Deno.test("a device rule without allow denies, and a console may have one size", () =>
  withRuntime(async (runtime) => {
    const output = await runtime.container((config) => {
      config.linux.resources = { devices: [{ access: "rwm" }] };
      config.process.consoleSize = { height: 5 };
      config.process.args = ["sh", "-c", "echo >/dev/null; echo done"];
    });
    assertEquals(output, { code: 0, stdout: "done\n", stderr: "" });
  }));
