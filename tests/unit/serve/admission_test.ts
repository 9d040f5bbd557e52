import { assertEquals } from "@std/assert";
import { difference, type Facts, factsOf, RULES } from "../../../lib/serve/admission.ts";

const own = factsOf("/proc/self");

Deno.test("a process is like itself", () => {
  assertEquals(difference(own, factsOf(`/proc/${Deno.pid}`)), undefined);
});

Deno.test("the rules are those of the list", () => {
  assertEquals(RULES.map(({ name }) => name), [
    ...["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"],
    ...["NoNewPrivs", "Seccomp", "Seccomp_filters"],
    ...["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "user", "uts", "time"]
      .map((name) => `namespace ${name}`),
    ...["namespace time_for_children", "root directory", "root", "security label"],
  ]);
});

for (const { name } of RULES) {
  Deno.test(`a difference in ${name} alone is enough`, () => {
    assertEquals(difference(own, new Map([...own, [name, "other"]])), name);
  });

  Deno.test(`nobody is like what is not known of ${name}`, () => {
    const unknown: Facts = new Map([...own, [name, undefined]]);
    assertEquals(difference(unknown, unknown), name);
  });
}

Deno.test("a process that is gone is like nobody", () => {
  assertEquals(difference(own, factsOf("/proc/0")), "Uid");
});
