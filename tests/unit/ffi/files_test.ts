import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Helper, loadHelper } from "../../../ffi/helper.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

/** poll(2) */
const POLLOUT = 4;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_NONBLOCK = 0o4000;

async function inFolder(body: (folder: string, helper: Helper) => Promise<void> | void) {
  const folder = await Deno.makeTempDir({ prefix: "runts-files-" });
  try {
    await body(folder, await loadHelper());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

Deno.test("a text is read as Deno reads it, however long it is", () =>
  inFolder((folder, helper) => {
    const path = `${folder}/text`;
    for (const size of [0, 1, 64 * 1024, 64 * 1024 + 1, 200_000]) {
      Deno.writeTextFileSync(path, "ä".repeat(size));
      assertEquals(helper.readText(path)?.length, size);
    }
    Deno.writeFileSync(path, new Uint8Array([0x61, 0xff]));
    assertEquals(helper.readText(path), "a\ufffd");
    assertEquals(helper.readText("/proc/self/comm"), Deno.readTextFileSync("/proc/self/comm"));
    assertEquals([helper.readText(folder), helper.readText(`${folder}/none`)], [
      undefined,
      undefined,
    ]);
  }));

Deno.test("open, write, read and close a file; its descriptor is CLOEXEC", () =>
  inFolder((folder, helper) => {
    const path = `${folder}/ä file`;
    const fd = helper.open(path, O_RDWR | O_CREAT, 0o640);
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o640);
    assertEquals(helper.fdFlags(fd), 1);
    assertEquals(helper.write(fd, bytes("hello")), 5);
    helper.close(fd);
    const again = helper.open(path, O_RDONLY);
    const buffer = new Uint8Array(16);
    assertEquals(helper.read(again, buffer), 5);
    assertEquals(text(buffer.subarray(0, 5)), "hello");
    assertEquals(helper.read(again, buffer), 0);
    helper.close(again);
    assertEquals(helper.isOpenFd(again), false);
    assertEquals(helper.fdFlags(again), undefined);
  }));

Deno.test("a file in memory holds what is written", async () => {
  const helper = await loadHelper();
  const fd = helper.memoryFile("a-name");
  assertEquals(helper.fdFlags(fd), 1);
  assertEquals(Deno.readLinkSync(`/proc/self/fd/${fd}`), "/memfd:a-name (deleted)");
  helper.write(fd, bytes("held"));
  assertEquals(Deno.readTextFileSync(`/proc/self/fd/${fd}`), "held");
  helper.close(fd);
});

Deno.test("errors name the file and the reason", () =>
  inFolder((folder, helper) => {
    const cases: [() => unknown, string][] = [
      [
        () => helper.open(`${folder}/no`, 0),
        `open "${folder}/no": ENOENT (no such file or directory)`,
      ],
      [() => helper.open("a\0b", 0), 'use "a\\u0000b": EINVAL (invalid argument)'],
      [() => helper.close(9999), "close descriptor 9999: EBADF (bad file descriptor)"],
      [
        () => helper.read(9999, new Uint8Array(1)),
        "read descriptor 9999: EBADF (bad file descriptor)",
      ],
      [
        () => helper.readAvailable(9999, 1),
        "read descriptor 9999: EBADF (bad file descriptor)",
      ],
      [
        () => helper.write(9999, new Uint8Array(1)),
        "write to descriptor 9999: EBADF (bad file descriptor)",
      ],
      [
        () => helper.makeFifo(folder, 0o600),
        `make fifo "${folder}": EEXIST (file exists)`,
      ],
    ];
    for (const [call, message] of cases) {
      assertEquals(assertThrows(call, RuntsError).message, message);
    }
  }));

Deno.test("a fifo is written to without ever waiting", () =>
  inFolder((folder, helper) => {
    const path = `${folder}/fifo`;
    helper.makeFifo(path, 0o622);
    const stat = Deno.statSync(path);
    assertEquals([stat.isFifo, stat.mode! & 0o777], [true, 0o622]);
    const nobody = assertThrows(() => helper.open(path, O_WRONLY | O_NONBLOCK), RuntsError);
    assertEquals(nobody.data.errno, 6); // ENXIO
    const reading = helper.open(path, O_RDONLY | O_NONBLOCK);
    assertEquals(helper.readyFds([reading]), []);
    const writing = helper.open(path, O_WRONLY | O_NONBLOCK);
    assertEquals(helper.readAvailable(reading, 8), "again");
    helper.write(writing, bytes("0"));
    assertEquals(helper.readyFds([-1, reading]), [reading]);
    assertEquals(text(helper.readAvailable(reading, 8) as Uint8Array), "0");
    helper.close(writing);
    assertEquals(helper.readAvailable(reading, 8), "eof");
    helper.close(reading);
  }));

Deno.test("a closed pipe is EPIPE and no signal", async () => {
  const helper = await loadHelper();
  const [reading, writing] = helper.pipe();
  helper.close(reading);
  const error = assertThrows(() => helper.write(writing, bytes("x")), RuntsError);
  assertEquals(error.message, `write to descriptor ${writing}: EPIPE (broken pipe)`);
  helper.close(writing);
});

Deno.test("awaitFds ends when a descriptor gets ready, and at its timeout", async () => {
  const helper = await loadHelper();
  const [reading, writing] = helper.pipe();
  assertEquals(await helper.awaitFds([writing], { events: POLLOUT }), [writing]);
  for (const timeout of [0, 3, 30]) {
    assertEquals(await helper.awaitFds([reading], { timeoutMs: timeout }), []);
  }
  const waiting = helper.awaitFds([reading]);
  helper.write(writing, bytes("x"));
  assertEquals(await waiting, [reading]);
  helper.close(writing);
  helper.close(reading);
});

Deno.test("a lock is held until it is closed", () =>
  inFolder(async (folder, helper) => {
    const path = `${folder}/lock`;
    const first = await helper.lock(path, 0);
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
    for (const timeout of [0, 30]) {
      const error = await assertRejects(() => helper.lock(path, timeout), RuntsError);
      assertEquals(error.message, `lock "${path}": ETIMEDOUT (connection timed out)`);
    }
    const pending = helper.lock(path, 10_000);
    helper.close(first);
    const second = await pending;
    assert(helper.isOpenFd(second));
    helper.close(second);
    helper.close(await helper.lock(path, 0));
  }));

Deno.test("a lock's file is not a link, nor in a directory that is missing", () =>
  inFolder(async (folder, helper) => {
    Deno.symlinkSync("/etc/passwd", `${folder}/lock`);
    const link = await assertRejects(() => helper.lock(`${folder}/lock`, 10), RuntsError);
    assertEquals(link.data.errno, 40); // ELOOP
    const missing = await assertRejects(() => helper.lock(`${folder}/a/lock`, 10), RuntsError);
    assertEquals(
      missing.message,
      `lock "${folder}/a/lock": ENOENT (no such file or directory)`,
    );
  }));
