/** Containers in scopes, which systemd removes when their last process has ended. */

import { assert, assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { hostHas } from "../../support/cgroups.ts";
import { idle, SHORT, tell } from "../../support/cold.ts";
import { runtimeTest } from "../../support/host.ts";
import { PEER, until } from "../../support/runtime.ts";

/** Beside its own hierarchy, systemd is told to remove those of v1. */
const SCOPES = { ignore: PEER !== "runts" || !hostHas("systemd") || !hostHas("v2") };

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

runtimeTest("kill --all and delete in a scope take no Deno", SCOPES, async (runtime) => {
  using bundle = new Bundle(idle);
  const create = async () => {
    const id = runtime.id();
    await runtime.ok(["--systemd-cgroup", "create", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    const path = /^0::(.*)$/m.exec(Deno.readTextFileSync(`/proc/${pid}/cgroup`))![1]!;
    assert(path.endsWith(".scope"), path);
    return { id, scope: `/sys/fs/cgroup${path}` };
  };
  const call = (...args: string[]) => tell(["--root", runtime.root, ...args]);

  const { id, scope } = await create();
  const view = JSON.parse(await runtime.ok(["explain", "--prepared", id]));
  assertEquals(view.verbs, ["state", "kill", "kill --all", "start", "delete"]);
  assertEquals(await call("start", id), SHORT);
  assertEquals(await call("kill", "--all", id, "9"), SHORT);
  await until("systemd has removed the scope", () => !isThere(scope));
  assertEquals(await call("kill", "--all", id, "9"), SHORT);
  assertEquals(await call("delete", id), SHORT);

  // Whether systemd is quick enough for the front is a matter of its load.
  const other = await create();
  await call("start", other.id);
  const { code, stderr } = await call("delete", "--force", other.id);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assert(!isThere(other.scope));
});
