/** This process as the caller. */

import { assertEquals } from "@std/assert";
import { ProcessCaller } from "../../../lib/runtime/process_caller.ts";
import { Runtime, runtimeOf } from "../../../lib/runtime/runtime.ts";

Deno.test("the caller is what the process is", () => {
  const caller = new ProcessCaller();
  const { proc, pid, uid, gid } = caller;
  assertEquals({ proc, pid, uid, gid }, {
    proc: "/proc/self",
    pid: Deno.pid,
    uid: Deno.uid()!,
    gid: Deno.gid()!,
  });
  assertEquals(caller.workingDirectory(), Deno.cwd());
  const before = Deno.umask(0o027);
  try {
    assertEquals(caller.umask, 0o027);
  } finally {
    Deno.umask(before);
  }
});

Deno.test("its environment is what it was started with", () => {
  Deno.env.set("RUNTS_TEST_LATE", "1");
  try {
    const caller = new ProcessCaller();
    assertEquals(caller.variable("RUNTS_TEST_LATE"), undefined);
    assertEquals(caller.variable("PATH"), Deno.env.get("PATH"));
    assertEquals(caller.environment().includes(`PATH=${Deno.env.get("PATH")}`), true);
  } finally {
    Deno.env.delete("RUNTS_TEST_LATE");
  }
});

Deno.test("a runtime is taken as it is, settings make a new one", () => {
  const runtime = new Runtime({ root: "/r" });
  assertEquals(runtimeOf(runtime), runtime);
  assertEquals(runtimeOf({ root: "/s" }).root, "/s");
});

Deno.test("the root is by default that of the caller", () => {
  const caller = Object.assign(Object.create(new ProcessCaller()), {
    variable: (name: string) => name === "XDG_RUNTIME_DIR" ? "/run/of/caller" : undefined,
  });
  Object.defineProperty(caller, "uid", { value: 1000 });
  assertEquals(new Runtime({ caller }).root, "/run/of/caller/runts");
  assertEquals(new Runtime({ caller }).rootless, true);
  assertEquals(new Runtime({ caller, rootless: false }).rootless, false);
});
