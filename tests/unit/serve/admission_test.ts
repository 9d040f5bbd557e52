import { assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { processFacts } from "../../../ffi/peer.ts";
import { difference, type Facts, factsOf, lineOf, RULES } from "../../../lib/serve/admission.ts";

await loadHelper();
const process = processFacts(Deno.pid)!;
const own = factsOf(process);

Deno.test("a process is like itself", () => {
  assertEquals(difference(own, factsOf(processFacts(Deno.pid)!)), undefined);
});

Deno.test("the rules are those of the list", () => {
  assertEquals(RULES.map(({ name }) => name), [
    ...["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"],
    ...["NoNewPrivs", "Seccomp", "Seccomp_filters"],
    ...["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children"]
      .map((name) => `namespace ${name}`),
    ...["namespace user", "namespace uts", "root directory", "root", "security label"],
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

Deno.test("a process is what /proc says, in the order of the names", () => {
  const identity = (path: string) => {
    const { dev, ino } = Deno.statSync(`/proc/self/${path}`);
    return `${dev.toString(16)}:${ino}`;
  };
  assertEquals(process.rootPath, Deno.readLinkSync("/proc/self/root"));
  assertEquals(process.root, identity("root"));
  assertEquals(
    process.namespaces,
    [
      ...["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children"],
      ...["user", "uts"],
    ].map((name) => identity(`ns/${name}`)),
  );
  assertEquals(process.directory, Deno.cwd());
  assertEquals(process.cgroups, Deno.readTextFileSync("/proc/self/cgroup").trimEnd());
  assertEquals(own.get("CapEff"), /^CapEff:\s*(\w+)$/m.exec(process.status)![1]);
});

Deno.test("a line is found by the whole of its name", () => {
  assertEquals(lineOf("Name:\ta\nUidX:\t1\nUid:\t2 3\nLast:\t4", "Uid"), "2 3");
  assertEquals(lineOf("Name:\ta\nLast:\t4", "Last"), "4");
  assertEquals(lineOf("Name:\ta\nLast:\t4", "Other"), undefined);
});

Deno.test("a process that is gone is nothing", () => {
  assertEquals(processFacts(0x7fffffff), undefined);
});
