/** Which cgroups criu is told of. */

import { assertEquals } from "@std/assert";
import { cgroupRoots } from "../../../lib/criu/cgroups.ts";

Deno.test("criu is told of one root for each controller that the kernel names, and of no other", () => {
  const told = cgroupRoots(Deno.pid);
  const named = [];
  for (const line of Deno.readTextFileSync("/proc/self/cgroup").trimEnd().split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line)!;
    for (const controller of controllers!.split(",")) named.push({ controller, path });
  }
  assertEquals(told, named);
});

Deno.test("of a process that has gone criu is told nothing", () => {
  assertEquals(cgroupRoots(2 ** 31 - 1), []);
});
