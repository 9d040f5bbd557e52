/** How init is started: its arguments, descriptors, signals; and how that can fail. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Helper } from "../../../ffi/helper.ts";
import { loadHelper } from "../../../ffi/helper.ts";
import type { ProcessCalls, SpawnInit } from "../../../ffi/process.ts";
import { describeFailure } from "../../../lib/plan/failure.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { Message } from "../../../lib/wire/messages.ts";
import { standInForInit } from "../../support/stand_in.ts";

/**
 * Sends what it sees as the detail of one record: arguments, the plan's bytes, blocked signals, its
 * descriptors with their files. Then it answers each `go` by its length until the end.
 */
const STAND_IN = `
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char text[65536];
static size_t used = 24;
#define SAY(...) (used += (size_t)snprintf(text + used, sizeof text - used, __VA_ARGS__))

static void say_status(void) {
  FILE *f = fopen("/proc/self/status", "r");
  char line[256];
  while (fgets(line, sizeof line, f))
    if (!strncmp(line, "SigBlk", 6)) SAY("%s", line);
  fclose(f);
}

static void say_descriptors(void) {
  DIR *d = opendir("/proc/self/fd");
  for (struct dirent *e; (e = readdir(d));) {
    int fd = atoi(e->d_name);
    if (e->d_name[0] == '.' || fd == dirfd(d)) continue;
    char path[300], target[300] = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (readlink(path, target, sizeof target - 1) < 0) continue;
    SAY("fd %d %s\\n", fd, target);
  }
  closedir(d);
}

static void send_record(int sync, int32_t type, size_t length) {
  int32_t head[4] = {type, -1, 0, 0};
  memcpy(text, head, sizeof head);
  send(sync, text, length, MSG_NOSIGNAL);
}

int main(int argc, char **argv, char **envp) {
  int sync = atoi(argv[1]), plan = atoi(argv[2]);
  for (int i = 0; i < argc; i++) SAY("arg %s\\n", argv[i]);
  char bytes[64] = {0};
  SAY("plan %d %s\\n", (int)pread(plan, bytes, sizeof bytes - 1, 0), bytes);
  SAY("plan writable %d\\n", (int)pwrite(plan, "x", 1, 0));
  int self = open("/proc/self/exe", O_RDWR);
  SAY("self writable %d\\n", self < 0 ? -1 : (int)pwrite(self, "x", 1, 0));
  if (self >= 0) close(self);
  SAY("env %s\\n", envp[0] ? envp[0] : "none");
  say_status();
  say_descriptors();
  send_record(sync, 99, used);
  static char go[65536];
  for (ssize_t n; (n = recv(sync, go, sizeof go, 0)) > 0;) {
    memcpy(text + 24, go, (size_t)n);
    send_record(sync, (int32_t)n, (size_t)n + 24);
  }
  return 7;
}
`;

let calls: Promise<ProcessCalls> | undefined;

/** Starts the stand-in, hands over what it says and ends it. */
async function spawned(
  options: Omit<SpawnInit, "plan">,
  use: (said: string[], socket: number, helper: ProcessCalls) => void | Promise<void> = () => {},
): Promise<string[]> {
  const { close } = await loadHelper();
  const helper = await (calls ??= standInForInit(STAND_IN));
  const plan = new TextEncoder().encode("the plan");
  const { pid, pidfd, socket } = helper.spawnInit({ plan, ...options });
  const record = await helper.receive(socket);
  assert(record !== "eof");
  assertEquals([record.type, record.op, record.errno], [99, -1, 0]);
  const said = new TextDecoder().decode(record.detail).trimEnd().split("\n");
  await use(said, socket, helper);
  close(socket);
  assert(await helper.awaitExit(pidfd, { timeoutMs: 60_000 }));
  assertEquals(helper.reap(pidfd), { code: 7, signal: 0, core: false });
  assertEquals(helper.reap(pidfd), undefined);
  close(pidfd);
  assertThrows(() => helper.openPidfd(pid), RuntsError, "ESRCH (no such process)");
  return said;
}

const linesOf = (said: string[], word: string) =>
  said.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

function openFile(helper: Helper, path: string): number {
  return helper.open(path, 0);
}

Deno.test("init gets its arguments, a sealed plan, no environment, blocked signals", async () => {
  const said = await spawned({ fds: [] });
  const [name, sync, plan, trace, namespaces, ...slots] = linesOf(said, "arg");
  assertEquals([name, trace, namespaces, slots], ["runts-init", "0", "0", []]);
  assert(Number(sync) >= 3 && Number(plan) > Number(sync));
  assertEquals(linesOf(said, "plan"), ["8 the plan", "writable -1"]);
  assertEquals(linesOf(said, "self writable"), ["-1"]);
  assertEquals(linesOf(said, "env"), ["none"]);
  const blocked = said.find((line) => line.startsWith("SigBlk"))!;
  assertEquals(blocked, "SigBlk:\tfffffffffffbfeff"); // all but SIGKILL and SIGSTOP
});

Deno.test("init gets the slots' descriptors and no other of ours", async () => {
  const helper = await loadHelper();
  const [reading, writing] = helper.pipe();
  const file = openFile(helper, "/etc/passwd");
  const said = await spawned({ fds: [file, -1, writing, file], trace: true });
  const [, sync, plan, trace, , ...slots] = linesOf(said, "arg");
  const open = new Map(linesOf(said, "fd").map((line) => line.split(" ") as [string, string]));
  assertEquals(trace, "1");
  assertEquals(slots[1], "-1");
  assertEquals(slots.map((slot) => open.get(slot)), [
    "/etc/passwd",
    undefined,
    Deno.readLinkSync(`/proc/self/fd/${writing}`),
    "/etc/passwd",
  ]);
  const expected = ["0", "1", "2", sync!, plan!, ...slots.filter((slot) => slot !== "-1")];
  assertEquals([...open.keys()].sort(), expected.sort());
  assertEquals(helper.fdFlags(file), 1);
  for (const fd of [reading, writing, file]) helper.close(fd);
});

Deno.test("init's standard streams may be any permutation", async () => {
  const helper = await loadHelper();
  const file = openFile(helper, "/etc/hostname");
  const target = (fd: number) => Deno.readLinkSync(`/proc/self/fd/${fd}`);
  for (const stdio of [[2, 0, 1], [1, 1, 0], [file, 2, file]] as const) {
    const said = await spawned({ fds: [], stdio });
    const open = linesOf(said, "fd").filter((line) => /^[012] /.test(line)).sort();
    assertEquals(open, stdio.map((fd, index) => `${index} ${target(fd)}`));
  }
  helper.close(file);
});

Deno.test("preserved descriptors keep their numbers, and the plan's lie above them", async () => {
  const preserve = 40;
  const said = await spawned({ fds: [0], preserve });
  const numbers = linesOf(said, "arg").filter((text) => /^\d+$/.test(text)).map(Number);
  const [sync, plan, , , slot] = numbers;
  for (const fd of [sync, plan, slot]) assert(fd! >= 3 + preserve, String(fd));
});

Deno.test("records go both ways and the end is told", async () => {
  await spawned({ fds: [] }, async (_, socket, helper) => {
    for (let i = 0; i < 3; i++) {
      helper.sendGo(socket);
      const record = await helper.receive(socket);
      assert(record !== "eof");
      assertEquals([record.type, record.detail.length], [24, 24]);
      const view = new DataView(record.detail.buffer, record.detail.byteOffset);
      assertEquals([view.getInt32(0, true), view.getInt32(4, true)], [Message.go, -1]);
    }
  });
});

Deno.test("what init said before it was killed is heard, then the end", async () => {
  const { close } = await loadHelper();
  const helper = await (calls ??= standInForInit(STAND_IN));
  const { pidfd, socket } = helper.spawnInit({ plan: new Uint8Array(1), fds: [] });
  const pending = helper.receive(socket);
  assert(await pending !== "eof");
  helper.sendSignal(pidfd, 19); // it reads no more
  helper.sendGo(socket);
  helper.sendSignal(pidfd, 9);
  assertEquals(await helper.receive(socket), "eof");
  assertEquals(await helper.awaitExit(pidfd), true);
  assertThrows(
    () => helper.sendGo(socket),
    RuntsError,
    "answer init: EPIPE (broken pipe)",
  );
  assertEquals(helper.reap(pidfd), { code: 0, signal: 9, core: false });
  close(socket);
  close(pidfd);
});

Deno.test("a descriptor that is not open is an error, and nothing is left behind", async () => {
  const helper = await loadHelper();
  const plan = new Uint8Array(8);
  const refused = async (options: Omit<SpawnInit, "plan">) => {
    const { pidfd, socket } = helper.spawnInit({ plan, ...options });
    const record = await helper.receive(socket);
    assert(record !== "eof");
    assertEquals(describeFailure(record, []).message, "start init: EBADF (bad file descriptor)");
    assertEquals(await helper.receive(socket), "eof");
    assertEquals(await helper.awaitExit(pidfd), true);
    assertEquals(helper.reap(pidfd), { code: 127, signal: 0, core: false });
    helper.close(socket);
    helper.close(pidfd);
  };
  // What is made at first, and stays: the memfd of init's executable, and what waits take.
  await refused({ fds: [9999] });
  assertEquals(await helper.awaitFds([-1], { timeoutMs: 1 }), []);
  const before = openDescriptors();
  await refused({ fds: [9999] });
  await refused({ fds: [], stdio: [0, 9999, 2] });
  assertThrows(
    () => helper.spawnInit({ plan, fds: new Array(1025).fill(-1) }),
    RuntsError,
    "start init: E2BIG (argument list too long)",
  );
  assertEquals(openDescriptors(), before);
  assertEquals(helper.reapAny(), "none");
});

function openDescriptors(): string[] {
  const numbers = Array.from(Deno.readDirSync("/proc/self/fd"), ({ name }) => name);
  return numbers.sort().flatMap((number) => {
    try {
      return `${number} ${Deno.readLinkSync(`/proc/self/fd/${number}`)}`;
    } catch {
      return []; // that of the listing itself
    }
  });
}
