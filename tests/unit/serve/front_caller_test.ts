import { assertEquals } from "@std/assert";
import { directoryOf, FrontCaller } from "../../../lib/serve/front_caller.ts";

const caller = new FrontCaller({
  ...{ pid: 7, uid: 1, gid: 2, umask: 0o027, directory: "/srv" },
  env: ["A=1", "EMPTY=", "A=2"],
  hasEnded: () => true,
});

Deno.test("a front is what its greeting says", () => {
  assertEquals([caller.proc, caller.pid, caller.uid, caller.gid], ["/proc/7", 7, 1, 2]);
  assertEquals(caller.workingDirectory(), "/srv");
  assertEquals(caller.environment(), ["A=1", "EMPTY=", "A=2"]);
  assertEquals([caller.variable("A"), caller.variable("EMPTY"), caller.variable("B")], [
    "1",
    undefined,
    undefined,
  ]);
  assertEquals(caller.limits(), []);
  assertEquals(caller.hasEnded(), true);
});

Deno.test("modes are masked with its umask", () => {
  assertEquals([caller.masked(0o644), caller.masked(0o666)], [0o640, 0o640]);
});

Deno.test("its directory is told unless it is gone", () => {
  const path = Deno.makeTempDirSync({ prefix: "runts-front-" });
  const child = new Deno.Command("cat", { cwd: path, stdin: "piped", stdout: "null" }).spawn();
  try {
    assertEquals(directoryOf(`/proc/${child.pid}`), path);
    Deno.removeSync(path);
    assertEquals(directoryOf(`/proc/${child.pid}`), undefined);
  } finally {
    child.kill("SIGKILL");
  }
  assertEquals(directoryOf("/proc/0"), undefined);
  return Promise.all([child.stdin.close().catch(() => {}), child.status]).then(() => {});
});
