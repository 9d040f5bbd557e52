import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { describeFailure } from "../../../lib/plan/failure.ts";
import { encodePlan } from "../../../lib/wire/encode.ts";
import { ENDINGS_ARE_TOLD } from "../../support/runtime.ts";

const SIGTERM = 15;
const PLAN = new Uint8Array([0]);

Deno.test("a pidfd tells of the end, and signals go through it", async () => {
  const helper = await loadHelper();
  const child = new Deno.Command("sleep", { args: ["100"] }).spawn();
  const pidfd = helper.openPidfd(child.pid);
  assertEquals(helper.exited(pidfd), false);
  assertEquals(await helper.awaitExit(pidfd, { timeoutMs: 10 }), false);
  assertEquals(helper.reap(pidfd), undefined);
  helper.sendSignal(pidfd, 0);
  const gone = helper.awaitExit(pidfd);
  helper.sendSignal(pidfd, SIGTERM);
  assertEquals(await gone, true);
  assertEquals((await child.status).signal, "SIGTERM");
  assertEquals(helper.exited(pidfd), true);
  const error = assertThrows(() => helper.sendSignal(pidfd, SIGTERM), RuntsError);
  assertEquals(error.message, "send signal 15: ESRCH (no such process)");
  assertEquals(helper.reap(pidfd), undefined); // Deno has reaped it
  const ending = ENDINGS_ARE_TOLD ? { code: 0, signal: SIGTERM, core: false } : undefined;
  assertEquals(await helper.exitStatus(pidfd, 1000), ending);
  helper.close(pidfd);
});

Deno.test("reap and reapAny give endings of children", async () => {
  const helper = await loadHelper();
  assertEquals(helper.reapAny(), "none");
  const ended = helper.spawnInit({ plan: PLAN, fds: [] });
  await helper.awaitExit(ended.pidfd);
  assertEquals(helper.reapAny(), { pid: ended.pid, code: 1, signal: 0, core: false });
  assertEquals(helper.reap(ended.pidfd), undefined);
  const [input, keep] = helper.pipe();
  const waiting = new Deno.Command("cat", { stdin: "piped" }).spawn();
  assertEquals(helper.reapAny(), "running");
  await waiting.stdin.close();
  assertEquals((await waiting.status).code, 0);
  for (const fd of [ended.pidfd, ended.socket, input, keep]) helper.close(fd);
});

Deno.test("a plan that init refuses comes back as a failure record", async () => {
  const helper = await loadHelper();
  const { pidfd, socket } = helper.spawnInit({ plan: PLAN, fds: [] });
  const record = await helper.receive(socket);
  assert(record !== "eof");
  assertEquals([record.type, record.op, record.errno], [18, -1, 74]); // EBADMSG
  assertEquals(await helper.receive(socket), "eof");
  assertEquals(await helper.awaitExit(pidfd), true);
  assertEquals(helper.reap(pidfd), { code: 1, signal: 0, core: false });
  helper.close(socket);
  helper.close(pidfd);
});

Deno.test("init refuses a plan of another build", async () => {
  const helper = await loadHelper();
  const { buildId } = helper;
  assertMatch(buildId, /^[0-9a-f]{32}$/);
  const others = [
    `${"0".repeat(16)}${buildId.slice(16)}`,
    `${buildId.slice(0, 16)}${"0".repeat(16)}`,
  ];
  for (const id of [...others, buildId]) {
    const plan = encodePlan([{ op: "setsid", from: "" }], id);
    const { pidfd, socket } = helper.spawnInit({ plan, fds: [] });
    const record = await helper.receive(socket);
    if (id === buildId) assertEquals(record, "eof");
    else {
      assert(record !== "eof");
      assertEquals(
        describeFailure(record, []).message,
        "init and the plan are of different builds: run deno task build:c",
      );
    }
    assertEquals(await helper.awaitExit(pidfd), true);
    assertEquals(helper.reap(pidfd)?.code, id === buildId ? 0 : 1);
    helper.close(socket);
    helper.close(pidfd);
  }
});

Deno.test("pidfdGetFd copies a descriptor", async () => {
  const helper = await loadHelper();
  const [reading, writing] = helper.pipe();
  const self = helper.openPidfd(Deno.pid);
  const copy = helper.pidfdGetFd(self, writing);
  assertEquals(helper.fdFlags(copy), 1);
  helper.write(copy, new Uint8Array([7]));
  assertEquals(helper.readAvailable(reading, 8), new Uint8Array([7]));
  const error = assertThrows(() => helper.pidfdGetFd(self, 9999), RuntsError);
  assertEquals(error.message, "fetch descriptor 9999 of a process: EBADF (bad file descriptor)");
  for (const fd of [reading, writing, copy, self]) helper.close(fd);
});

Deno.test("a subreaper adopts orphans", async () => {
  const helper = await loadHelper();
  helper.setSubreaper(true);
  try {
    const args = ["-c", "sleep 0.01 & echo $!"];
    const { stdout } = await new Deno.Command("sh", { args }).output();
    const pid = Number(new TextDecoder().decode(stdout));
    const pidfd = helper.openPidfd(pid);
    assertEquals(await helper.awaitExit(pidfd), true);
    assertEquals(helper.reapAny(), { pid, code: 0, signal: 0, core: false });
    helper.close(pidfd);
  } finally {
    helper.setSubreaper(false);
  }
});

Deno.test("a user namespace for idmapped mounts has its maps and no process", async () => {
  const helper = await loadHelper();
  const id = Deno.uid() ?? 0;
  if (id !== 0) {
    // Without privilege the kernel refuses to map what is not ours.
    const error = assertThrows(() => helper.idMapNamespace("0 0 2\n", "0 0 2\n"), RuntsError);
    assertEquals(
      error.message,
      "make a user namespace for an idmapped mount: EPERM (operation not permitted)",
    );
    return;
  }
  const fd = helper.idMapNamespace("0 100000 10\n10 200000 5\n", "0 300000 7\n");
  const args = [
    `--user=/proc/${Deno.pid}/fd/${fd}`,
    "cat",
    "/proc/self/uid_map",
    "/proc/self/gid_map",
  ];
  const { stdout } = await new Deno.Command("nsenter", { args }).output();
  const maps = new TextDecoder().decode(stdout).trim().split("\n").map((line) =>
    line.trim().split(/ +/).map(Number)
  );
  assertEquals(maps, [[0, 100000, 10], [10, 200000, 5], [0, 300000, 7]]);
  assertEquals(helper.fdFlags(fd), 1);
  assertEquals(helper.reapAny(), "none");
  helper.close(fd);
  const error = assertThrows(() => helper.idMapNamespace("nonsense", ""), RuntsError);
  assertEquals(
    error.message,
    "make a user namespace for an idmapped mount: EINVAL (invalid argument)",
  );
  assertEquals(helper.reapAny(), "none");
});
