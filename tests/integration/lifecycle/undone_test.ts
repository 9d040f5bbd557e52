/** What is left when a verb fails half-way, and verbs that meet a container of the same name. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { hook } from "../../support/hooks.ts";
import { RUNTS_ONLY, until } from "../../support/runtime.ts";

for (const detach of [true, false]) {
  Deno.test({
    name: `a poststart hook that fails: poststop hooks run once (${
      detach ? "detached" : "attached"
    })`,
    ...RUNTS_ONLY, // runc 1.1.5 and crun 1.8.1 keep the container
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle();
        const log = `${bundle.path}/log`;
        bundle.config.process.args = ["sleep", "1000"];
        bundle.config.hooks = {
          poststart: [hook("exit 3")],
          poststop: [hook(`echo poststop >> ${log}`)],
        };
        bundle.save();
        const words = ["run", ...(detach ? ["--detach"] : []), "--bundle", bundle.path];
        const { code, stderr } = await runtime.run([...words, runtime.id()]);
        assertEquals(code, 1);
        assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
        assertStringIncludes(stderr, 'hooks.poststart[0]: hook "/bin/sh": exit status 3');
        assertEquals(Deno.readTextFileSync(log), "poststop\n");
      }),
  });
}

Deno.test({
  name: "a create that fails ends what a hook left in the cgroup",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => {
        config.linux.namespaces = config.linux.namespaces.filter((one: Config) =>
          one.type !== "pid"
        );
        config.process.args = ["no-such-program"];
        config.hooks = { createContainer: [hook("sleep 60 < /dev/null > /dev/null 2>&1 &")] };
      });
      const { code, stderr } = await runtime.run(["create", "--bundle", bundle.path, runtime.id()]);
      assertEquals(code, 1);
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
      assertStringIncludes(stderr, 'exec: "no-such-program": executable file not found in $PATH');
    }),
});

Deno.test({
  name: "a created container that is paused can be resumed and started",
  ...RUNTS_ONLY, // crun 1.8.1 shows it as created
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
      const id = runtime.id();
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      await runtime.ok(["pause", id]);
      assertEquals((await runtime.state(id)).status, "paused");
      const { stderr } = await runtime.run(["start", id]);
      assertEquals(stderr, `runts: start "${id}": cannot start a container in the paused state\n`);
      await runtime.ok(["resume", id]);
      assertEquals((await runtime.state(id)).status, "created");
      await runtime.ok(["start", id]);
      await runtime.ok(["delete", "--force", id]);
    }),
});

Deno.test("exec keeps no process whose pid file cannot be written", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    const file = `${bundle.path}/missing/pid`;
    const { code, stderr } = await runtime.run(
      ["exec", "--detach", "--pid-file", file, id, "sleep", "61"],
    );
    assertEquals(code === 0, false);
    assertStringIncludes(stderr, file);
    const pids = async () => JSON.parse(await runtime.ok(["ps", "--format", "json", id]));
    await until("init is alone", async () => (await pids()).length === 1);
    await runtime.ok(["delete", "--force", id]);
  });
});

Deno.test("delete --force of one container from several sides succeeds everywhere", async () => {
  await withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    await Promise.all([1, 2, 3, 4].map(() => runtime.ok(["delete", "--force", id])));
    assertEquals((await runtime.run(["state", id])).code, 1);
  });
});
