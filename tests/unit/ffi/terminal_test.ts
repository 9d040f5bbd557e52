import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Helper, loadHelper } from "../../../ffi/helper.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { openPty } from "../../support/pty.ts";
import { ticksOf } from "../../support/usage.ts";

const O_RDWR = 2;
const O_NOCTTY = 0o400;

/** A terminal whose other end is open, too. */
function pair(helper: Helper): { master: number; slave: number; path: string } {
  const { master, path } = openPty();
  return { master, path, slave: helper.open(path, O_RDWR | O_NOCTTY) };
}

/** Runs a shell script; the terminal's path is $1. */
function shell(script: string, path: string): Deno.ChildProcess {
  return new Deno.Command("sh", { args: ["-c", script, "sh", path], stdout: "null" }).spawn();
}

/** Reads everything, in pieces of at most `max` bytes. */
async function drain(helper: Helper, fd: number, max = 1 << 16): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const read = helper.readAvailable(fd, max);
    if (read === "eof") break;
    if (read === "again") await helper.awaitFds([fd]);
    else parts.push(read);
  }
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

Deno.test("isTerminal tells a terminal from a pipe", async () => {
  const helper = await loadHelper();
  const { master, slave } = pair(helper);
  const [reading, writing] = helper.pipe();
  assertEquals([slave, reading].map((fd) => helper.isTerminal(fd)), [true, false]);
  const error = assertThrows(() => helper.isTerminal(9999), RuntsError);
  assertEquals(error.message, "look at descriptor 9999: EBADF (bad file descriptor)");
  for (const fd of [master, slave, reading, writing]) helper.close(fd);
});

Deno.test("the window size set on one end is seen on the other", async () => {
  const helper = await loadHelper();
  const { master, slave } = pair(helper);
  helper.setWindowSize(master, { rows: 50, cols: 65535 });
  assertEquals(helper.windowSize(slave), { rows: 50, cols: 65535 });
  const [reading, writing] = helper.pipe();
  const error = assertThrows(() => helper.windowSize(reading), RuntsError);
  assertEquals(
    error.message,
    "read the size of the terminal: ENOTTY (inappropriate ioctl for device)",
  );
  for (const fd of [master, slave, reading, writing]) helper.close(fd);
});

Deno.test("raw mode keeps newlines and can be taken back", async () => {
  const helper = await loadHelper();
  const { master, slave, path } = pair(helper);
  const say = (text: string) => {
    helper.write(slave, new TextEncoder().encode(text));
    return new TextDecoder().decode(helper.readAvailable(master, 64) as Uint8Array);
  };
  assertEquals(say("a\n"), "a\r\n");
  const isRaw = async () => {
    const { stdout } = await new Deno.Command("stty", { args: ["-F", path, "-a"] }).output();
    return /-icanon/.test(new TextDecoder().decode(stdout));
  };
  assertEquals(await isRaw(), false);
  const saved = helper.rawMode(slave);
  assertEquals(await isRaw(), true);
  assertEquals(say("a\n"), "a\r\n");
  helper.restoreMode(slave, saved);
  assertEquals(await isRaw(), false);
  helper.clearOnlcr(slave);
  assertEquals(say("a\n"), "a\n");
  helper.close(master);
  helper.close(slave);
});

Deno.test("relay loses nothing of many MB, though its reader is slow", async () => {
  const helper = await loadHelper();
  const { master, slave, path } = pair(helper);
  helper.rawMode(slave);
  helper.clearOnlcr(slave);
  const [reading, output] = helper.pipe();
  const length = 24 << 20;
  const child = shell(`exec > "$1"; yes 0123456 | head -c ${length}`, path);
  const relayed = helper.relay({ master, input: -1, output, wake: -1 });
  const drained = drain(helper, reading, 2049);
  assertEquals((await child.status).code, 0);
  helper.close(slave); // the last user: the terminal hangs up
  await relayed;
  helper.close(output);
  const bytes = await drained;
  assertEquals(bytes.length, length);
  const line = new TextEncoder().encode("0123456\n");
  assert(bytes.every((byte, index) => byte === line[index % 8]));
  helper.close(reading);
  helper.close(master);
});

Deno.test("relay carries the input, and goes on after its end", async () => {
  const helper = await loadHelper();
  const { master, slave, path } = pair(helper);
  helper.rawMode(slave);
  helper.clearOnlcr(slave);
  const [input, typing] = helper.pipe();
  const [reading, output] = helper.pipe();
  const length = 1 << 20;
  const child = shell(`exec < "$1" > "$1"; head -c ${length} | cksum; echo done`, path);
  const relayed = helper.relay({ master, input, output, wake: -1 });
  const drained = drain(helper, reading);
  const chunk = new Uint8Array(1 << 16).map((_, index) => index);
  for (let sent = 0; sent < length; sent += chunk.length) {
    await helper.awaitFds([typing], { events: 4 });
    helper.write(typing, chunk);
  }
  helper.close(typing);
  assertEquals((await child.status).code, 0);
  helper.close(slave);
  await relayed;
  helper.close(output);
  const expected = new Deno.Command("cksum", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = expected.stdin.getWriter();
  for (let sent = 0; sent < length; sent += chunk.length) await writer.write(chunk);
  await writer.close();
  const sum = new TextDecoder().decode((await expected.output()).stdout);
  assertEquals(new TextDecoder().decode(await drained), `${sum}done\n`);
  for (const fd of [input, reading, master]) helper.close(fd);
});

Deno.test("relay ends when woken, after what the terminal still held", async () => {
  const helper = await loadHelper();
  const { master, slave } = pair(helper);
  helper.rawMode(slave);
  helper.clearOnlcr(slave);
  const [wake, waking] = helper.pipe();
  const [reading, output] = helper.pipe();
  helper.write(slave, new Uint8Array(3000).fill(65));
  helper.write(waking, new Uint8Array(1));
  await helper.relay({ master, input: -1, output, wake });
  const bytes = helper.readAvailable(reading, 1 << 16) as Uint8Array;
  assertEquals([bytes.length, bytes.every((byte) => byte === 65)], [3000, true]);
  // It waits while nothing happens, and ends by the closing of the other side as well.
  const [wake2, waking2] = helper.pipe();
  const idle = helper.relay({ master, input: -1, output, wake: wake2 });
  assertEquals(await Promise.race([idle.then(() => "ended"), delay(50)]), "waits");
  helper.close(waking2);
  await idle;
  for (const fd of [wake, waking, wake2, reading, output, master, slave]) helper.close(fd);
});

Deno.test("relay swallows what a closed output no longer takes", async () => {
  const helper = await loadHelper();
  const { master, slave, path } = pair(helper);
  const [reading, output] = helper.pipe();
  helper.close(reading);
  const relayed = helper.relay({ master, input: -1, output, wake: -1 });
  const child = shell('exec > "$1"; head -c 2000000 /dev/zero; echo end > "$1"', path);
  assertEquals((await child.status).code, 0);
  helper.close(slave);
  await relayed;
  helper.close(output);
  helper.close(master);
});

Deno.test("an idle relay uses no processor time", async () => {
  const helper = await loadHelper();
  const { master, slave } = pair(helper);
  const [input, typing] = helper.pipe();
  const [reading, output] = helper.pipe();
  const [wake, waking] = helper.pipe();
  helper.close(typing); // an input that has ended stays ready
  const before = ticksOf("/proc/self");
  const relayed = helper.relay({ master, input, output, wake });
  await delay(200);
  const used = ticksOf("/proc/self") - before;
  helper.close(waking);
  await relayed;
  assert(used <= 10, `${used} ticks`);
  for (const fd of [wake, input, reading, output, master, slave]) helper.close(fd);
});

function delay(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve("waits"), ms));
}

Deno.test("relay wants a terminal that is open", async () => {
  const helper = await loadHelper();
  const relay = helper.relay({ master: 9999, input: -1, output: -1, wake: -1 });
  const message = await relay.catch((error) => error.message);
  assertEquals(message, "relay the terminal: EBADF (bad file descriptor)");
});
