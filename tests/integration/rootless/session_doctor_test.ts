/** doctor in a user's own login session. */

import { assertEquals } from "@std/assert";
import { cgroupTest } from "../../support/cgroups.ts";
import { command, RUNTIME } from "../../support/runtime.ts";

cgroupTest("doctor tells a user what it may do", ["v2", "session"], async () => {
  const { stdout, stderr } = await command([RUNTIME, "doctor", "--json"]);
  assertEquals(stderr, "");
  const { findings } = JSON.parse(stdout);
  const conditions = Object.fromEntries(
    findings.map(({ name, condition }: Record<string, string>) => [name, condition]),
  );
  for (const name of ["layout", "systemd", "user namespaces", "runtime directory"]) {
    assertEquals(conditions[name], "works", name);
  }
  for (const name of ["subordinate user ids", "subordinate group ids", "newuidmap"]) {
    assertEquals(conditions[name], "works", name);
  }
});
