/** State directories with damaged files. */

import { assertEquals, assertRejects } from "@std/assert";
import { hasOwnPidNamespace, readCopyIfAny } from "../../../lib/state/config_copy.ts";
import { leaveResctrl } from "../../../lib/host/intel_rdt.ts";
import { state } from "../../../lib/container/state.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { StateDirectory } from "../../../lib/state/directory.ts";
import { inspect } from "../../../lib/state/inspect.ts";

const STATUS = { "pid": 0, "process-start-time": 0, "bundle": "/b" };

/** A container whose state directory has these files. */
async function withFiles(
  files: Record<string, unknown>,
  body: (directory: StateDirectory) => void | Promise<void>,
): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "runts-state-" });
  try {
    const directory = new StateDirectory(root, "web");
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

Deno.test("a status without a bundle is named as such", () =>
  withFiles({ status: { ...STATUS, bundle: null } }, async ({ root, path }) => {
    const error = await assertRejects(() => state({ root }, { id: "web" }), RuntsError);
    assertEquals(
      error.message,
      `state "web": read status file "${path}/status": "bundle" is missing`,
    );
  }));

Deno.test("a status that is no file is named as such, and read by nobody", () =>
  withFiles({}, async ({ root, path }) => {
    Deno.mkdirSync(`${path}/status`);
    const error = await assertRejects(() => state({ root }, { id: "web" }), RuntsError);
    assertEquals(error.message, `state "web": read "${path}/status": it is not a regular file`);
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
  leaveResctrl("runts-none", { enableMonitoring: true }, undefined);
});
