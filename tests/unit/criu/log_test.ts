import { assertEquals } from "@std/assert";
import { firstError } from "../../../lib/criu/log.ts";

Deno.test("the first error of a log is the reason, but for what makes nothing fail", () => {
  const log = [
    "(00.044310) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: EPERM",
    "(00.100000) Warn  (criu/x.c:1): Error (criu/y.c:2): quoted",
    "(00.165220)      1: Error (criu/files-reg.c:2175): File fd/1 has bad size 0 (expect 4)",
    "(00.169036) Error (criu/cr-restore.c:2320): Restoring FAILED.",
    "",
  ].join("\n");
  assertEquals(firstError(log), "File fd/1 has bad size 0 (expect 4)");
});

Deno.test("a log without an error has no reason", () => {
  assertEquals(firstError(""), undefined);
  assertEquals(firstError("(00.1) all is well\n"), undefined);
});
