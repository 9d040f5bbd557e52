/** Intel RDT where resctrl is not mounted, which is nearly everywhere. */

import { refused } from "../../support/inside.ts";

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
