/** The state directory is wire-compatible with crun's: either runtime takes over from the other. */

import { cgroupHost } from "../../support/cgroups.ts";
import { assert, assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { TestRuntime, withRuntime } from "../../support/host.ts";
import { hook } from "../../support/hooks.ts";
import { RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";
import { untilCaught } from "../../support/seen.ts";

const SIGTERM = 15;
const LOOP = ["sh", "-c", "trap 'exit 7' TERM; while true; do sleep 0.02; done"];

/** Runs the body with runts making the container and crun taking over, and the other way round. */
function bothWays(
  name: string,
  body: (maker: TestRuntime, heir: TestRuntime, bundle: Bundle) => Promise<void>,
) {
  const pairs = [["runts", "crun"], ["crun", "runts"]] as const;
  for (const [maker, heir] of pairs) {
    // Needs both runtimes whichever is under test, so it is one test of runts.
    Deno.test({
      name: `${name}: ${maker} makes it, ${heir} takes over`,
      ...RUNTS_ONLY,
      fn: async () => {
        await withRuntime(async (runtime) => {
          const paths = { runts: RUNTIME, crun: "/usr/bin/crun" };
          using bundle = new Bundle((config) => config.process.args = LOOP);
          const made = new TestRuntime(runtime.root, paths[maker]);
          await body(made, new TestRuntime(runtime.root, paths[heir]), bundle);
          removeUnseen(made);
        });
      },
    });
  }
}

/**
 * On a hybrid host crun is run without sight of the `unified` hierarchy, and it looks for cgroups at the
 * top of every other, not below the one that runts is in: it leaves what is elsewhere.
 */
function removeUnseen(runtime: TestRuntime): void {
  const prefix = runtime.id().replace(/\d+$/, "");
  for (const { mountPoint, own } of cgroupHost().hierarchies) {
    for (const { name } of Deno.readDirSync(mountPoint + own)) {
      if (name.startsWith(prefix)) Deno.removeSync(`${mountPoint}${own}/${name}`);
    }
  }
}

bothWays("state and list", async (maker, heir, bundle) => {
  const id = maker.id();
  await maker.ok(["create", "--bundle", bundle.path, id]);
  const [made, seen] = [await maker.state(id), await heir.state(id)];
  for (const key of ["id", "pid", "status", "bundle", "created", "owner"]) {
    assertEquals(seen[key], made[key], key);
  }
  const rows = JSON.parse(await heir.ok(["list", "--format", "json"]));
  assertEquals(rows.length, 1);
  assertEquals([rows[0].id, rows[0].status, rows[0].pid], [id, "created", made.pid]);
  await maker.ok(["delete", "--force", id]);
});

bothWays("start, kill and delete", async (maker, heir, bundle) => {
  const id = maker.id();
  await maker.ok(["create", "--bundle", bundle.path, id]);
  await heir.ok(["start", id]);
  assertEquals((await maker.state(id)).status, "running");
  assertEquals((await heir.state(id)).status, "running");
  await untilCaught((await heir.state(id)).pid, SIGTERM);
  await heir.ok(["kill", id, "TERM"]);
  await heir.untilStopped(id);
  assertEquals((await maker.state(id)).status, "stopped");
  await heir.ok(["delete", id]);
  assert(!(await maker.ok(["list", "--quiet"])).includes(id));
});

bothWays("delete --force of a running container", async (maker, heir, bundle) => {
  const id = maker.id();
  await maker.ok(["run", "--detach", "--bundle", bundle.path, id]);
  await heir.ok(["delete", "--force", id]);
  assertEquals((await maker.run(["state", id])).code, 1);
});

bothWays("exec", async (maker, heir, bundle) => {
  const id = maker.id();
  await maker.ok(["run", "--detach", "--bundle", bundle.path, id]);
  assertEquals(await heir.ok(["exec", id, "hostname"]), "test\n");
  await maker.ok(["delete", "--force", id]);
});

Deno.test({
  name: "hooks of a container that crun made read what state shows",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = LOOP);
      const { config, path } = bundle;
      config.annotations = { "org.example.a": "b", "org.example.ä": "" };
      config.hooks = Object.fromEntries(
        ["poststart", "poststop"].map((kind) => [kind, [hook(`cat >${path}/${kind}`)]]),
      );
      const crun = new TestRuntime(runtime.root, "/usr/bin/crun");
      const read = (kind: string) => JSON.parse(Deno.readTextFileSync(`${path}/${kind}`));
      for (const annotations of [config.annotations, undefined]) {
        config.annotations = annotations;
        bundle.save();
        const id = runtime.id();
        await crun.ok(["create", "--bundle", path, id]);
        await runtime.ok(["start", id]);
        const { rootfs: _, created: _created, owner: _owner, ...shown } = await runtime.state(id);
        await runtime.ok(["delete", "--force", id]);
        assertEquals(read("poststart"), shown);
        assertEquals(read("poststop"), { ...shown, status: "stopped", pid: 0 });
        assertEquals(shown.annotations, annotations);
      }
      removeUnseen(crun);
    }),
});
