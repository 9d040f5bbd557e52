import { assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { processFacts } from "../../../ffi/peer.ts";
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

Deno.test("its directory is told unless it is gone", async () => {
  await loadHelper();
  const path = Deno.makeTempDirSync({ prefix: "runts-front-" });
  const child = new Deno.Command("cat", { cwd: path, stdin: "piped", stdout: "null" }).spawn();
  const told = () => directoryOf(processFacts(child.pid)!.directory);
  try {
    assertEquals(told(), path);
    Deno.removeSync(path);
    assertEquals(told(), undefined);
  } finally {
    child.kill("SIGKILL");
  }
  assertEquals(directoryOf(""), undefined);
  assertEquals(directoryOf("(unreachable)/a"), undefined);
  assertEquals(directoryOf("/\udce4"), undefined);
  await Promise.all([child.stdin.close().catch(() => {}), child.status]);
});
