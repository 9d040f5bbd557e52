/** State directories with damaged files. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { hasOwnPidNamespace, readCopyIfAny } from "../../../lib/state/config_copy.ts";
import { leaveResctrl } from "../../../lib/host/intel_rdt.ts";
import { remove } from "../../../lib/container/delete.ts";
import { kill } from "../../../lib/container/kill.ts";
import { list } from "../../../lib/container/list.ts";
import { state } from "../../../lib/container/state.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { StateDirectory } from "../../../lib/state/directory.ts";
import { DAMAGED } from "../../../lib/state/status.ts";
import { inspect } from "../../../lib/state/inspect.ts";

const STATUS = { "pid": 0, "process-start-time": 0, "bundle": "/b" };

/** A container whose state directory has these files. */
async function withFiles(
  files: Record<string, unknown>,
  body: (directory: StateDirectory) => void | Promise<void>,
): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "runts-state-" });
  try {
    const directory = new StateDirectory(new Runtime({ root }), "web");
    directory.make();
    for (const [name, value] of Object.entries(files)) directory.write(name, JSON.stringify(value));
    await body(directory);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("an intent without a creator counts as unfinished by somebody who is gone", async () => {
  for (const creator of [undefined, {}, { pid: "1", startTime: null }]) {
    await withFiles({ creating: { creator, status: STATUS } }, (directory) => {
      const { state, complete } = inspect(directory);
      assertEquals({ state, complete }, { state: "stopped", complete: false });
    });
  }
});

Deno.test("a directory without any record is no container; what is in it is listed", async () => {
  await withFiles({}, async ({ root }) => {
    assertEquals(await list({ root }), []);
    const error = await assertRejects(() => state({ root }, { id: "web" }), RuntsError);
    assertEquals(error.message, 'state "web": container does not exist');
  });
  // As while crun makes a container.
  await withFiles({ "config.json": {} }, async ({ root, path }) => {
    const message = `container does not exist: there is no record of it in "${path}"`;
    const entries = await list({ root });
    const found = entries.map(({ id, status, error }) => ({ id, status, error }));
    assertEquals(found, [{ id: "web", status: "unknown", error: message }]);
    for (const [verb, ask] of Object.entries({ state, kill, delete: remove })) {
      const error = await assertRejects(async () => void await ask({ root }, { id: "web" }));
      assertEquals((error as Error).message, `${verb} "web": ${message}`);
    }
    await remove({ root }, { id: "web", force: true });
    assertEquals(await list({ root }), []);
  });
});

Deno.test("a directory that holds nothing but a lock that nobody has can be made anew", () =>
  withFiles({ lock: "" }, ({ root, path }) => {
    const make = () => new StateDirectory(new Runtime({ root }), "web").make();
    make();
    {
      using lock = Deno.openSync(`${path}/lock`);
      lock.lockSync(true);
      assertThrows(make, RuntsError, "container with given ID already exists");
    }
    make();
    Deno.writeTextFileSync(`${path}/config.json`, "{}");
    assertThrows(make, RuntsError, "container with given ID already exists");
  }));

Deno.test("a creator that cannot be seen is at work as long as it holds the lock", () =>
  withFiles(
    { lock: "", preparing: { creator: { pid: 0, startTime: 0 }, status: STATUS } },
    (directory) => {
      assertEquals(inspect(directory).state, "stopped");
      using lock = Deno.openSync(directory.file("lock"));
      lock.lockSync(true);
      assertEquals(inspect(directory).state, "creating");
    },
  ));

Deno.test("a lock that is a fifo keeps nobody waiting", () =>
  withFiles({ preparing: { creator: { pid: 0, startTime: 0 }, status: STATUS } }, (directory) => {
    new Deno.Command("mkfifo", { args: [directory.file("lock")] }).outputSync();
    assertEquals(inspect(directory).state, "stopped");
  }));

Deno.test("a status without a bundle is named as such", () =>
  withFiles({ status: { ...STATUS, bundle: null } }, async ({ root, path }) => {
    const error = await assertRejects(() => state({ root }, { id: "web" }), RuntsError);
    assertEquals(
      error.message,
      `state "web": read status file "${path}/status": "bundle" is missing: ${DAMAGED}`,
    );
  }));

Deno.test("a status that is no file is named as such, and read by nobody", () =>
  withFiles({}, async ({ root, path }) => {
    Deno.mkdirSync(`${path}/status`);
    const error = await assertRejects(() => state({ root }, { id: "web" }), RuntsError);
    assertEquals(
      error.message,
      `state "web": read "${path}/status": it is not a regular file: ${DAMAGED}`,
    );
  }));

Deno.test("a copy of the configuration that is damaged counts as none", async () => {
  const damaged = [
    { linux: [] },
    { linux: { namespaces: {} } },
    { linux: { namespaces: ["pid"] } },
    { linux: { cgroupsPath: 1 } },
    { hooks: { poststop: { path: "/x" } } },
    { annotations: { a: 1 } },
    { annotations: "abc" },
  ];
  for (const copy of damaged) {
    await withFiles({ status: STATUS, "config.json": copy }, async (directory) => {
      assertEquals(readCopyIfAny(directory), undefined, JSON.stringify(copy));
      assertEquals(hasOwnPidNamespace(directory), false);
      const { status, annotations } = await state({ root: directory.root }, { id: "web" });
      assertEquals({ status, annotations }, { status: "stopped", annotations: undefined });
    });
  }
});

Deno.test("leaveResctrl has nothing to leave where resctrl is not mounted", () => {
  assertEquals(leaveResctrl("runts-none", { enableMonitoring: true }, undefined), undefined);
});
