/** Intel RDT where resctrl is not mounted, which is nearly everywhere. */

import { assertEquals } from "@std/assert";
import { Bundle, idle } from "../../support/bundle.ts";
import { withRuntime } from "../../support/host.ts";
import { refused } from "../../support/inside.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";

const mounted = Deno.readTextFileSync("/proc/self/mountinfo").includes(" - resctrl ");

refused(
  "intelRdt where resctrl is not mounted",
  (config) => {
    config.linux.intelRdt = { closID: mounted ? "no-such-class" : "gold" };
  },
  mounted
    ? 'linux.intelRdt.closID: class "no-such-class" does not exist: it is made only when a schema ' +
      "is given"
    : "linux.intelRdt: the resctrl file system is not mounted: " +
      "mount -t resctrl resctrl /sys/fs/resctrl, on a processor that has it",
);

refused("a schema for memory bandwidth of another form", (config) => {
  config.linux.intelRdt = { memBwSchema: "L3:0=f" };
}, 'BUNDLE/config.json: linux.intelRdt.memBwSchema: "L3:0=f" is not one line that begins with MB:');

Deno.test({
  name: "update says that a class cannot be made, and the container is as it was",
  ignore: RUNTS_ONLY.ignore || mounted,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle(idle);
      const id = runtime.id();
      await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
      const before = Deno.readTextFileSync(`${runtime.root}/${id}/config.json`);
      assertEquals(await runtime.run(["update", "--l3-cache-schema", "L3:0=f", id]), {
        code: 1,
        stdout: "",
        stderr: `runts: update "${id}": linux.intelRdt: the resctrl file system is not mounted: ` +
          "mount -t resctrl resctrl /sys/fs/resctrl, on a processor that has it\n",
      });
      assertEquals(Deno.readTextFileSync(`${runtime.root}/${id}/config.json`), before);
      await runtime.ok(["delete", "--force", id]);
    }),
});
