/** Streams of programs below a monitor: terminals, input, whoever is attached. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import type { Attachment } from "../../../lib/body/attachment.ts";
import { ON_TERMINAL, Watched } from "../../support/monitor.ts";
import { until } from "../../support/runtime.ts";
import { ticksOf } from "../../support/usage.ts";

const INPUT = { kind: "pipes", input: true } as const;
const NO_LOG = { driver: "none" } as const;
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Reads until the text of both streams ends so, or to the end; gives all of it. */
async function readUntil(attached: Attachment, end?: string): Promise<string> {
  let text = "";
  while (end === undefined || !text.endsWith(end)) {
    const output = await attached.read();
    if (output === undefined) break;
    text += "lost" in output ? `<${output.lost} lost>` : decode(output.bytes);
  }
  return text;
}

Deno.test("a program on a terminal: output, size, keys, its end", async () => {
  await using watched = await Watched.start();
  const { monitor } = watched;
  const script = "stty size; echo ready; while read line; do echo =$line; stty size; done";
  const started = await watched.run({ ...ON_TERMINAL, script, log: watched.log("raw") });
  using attached = await monitor.attach("init", { stdin: true, replay: true });
  assertEquals(await readUntil(attached, "ready\r\n"), "24 80\r\nready\r\n");
  await attached.write(encode("one\n"));
  assertEquals(await readUntil(attached, "=one\r\n24 80\r\n"), "one\r\n=one\r\n24 80\r\n");
  await monitor.resize("init", 100, 30);
  await attached.write(encode("\n"));
  assertEquals(await readUntil(attached, "=\r\n30 100\r\n"), "\r\n=\r\n30 100\r\n");
  await attached.write(new Uint8Array([3]));
  assertEquals(await readUntil(attached), "^C");
  const { code, signal } = await watched.ended(started);
  assertEquals({ code, signal }, { code: 130, signal: 2 });
  assertEquals((await watched.logged()).slice(0, 14), "24 80\r\nready\r\n");
});

Deno.test("a program ends on a terminal right after it wrote", async () => {
  await using watched = await Watched.start();
  for (let i = 0; i < 10; i++) {
    await watched.ended(await watched.run({ ...ON_TERMINAL, script: `echo last words ${i}` }));
    const lines = (await watched.logged()).split("\n");
    assertEquals(lines.at(-2)!.slice(31), `stdout F last words ${i}\r`);
  }
});

Deno.test("a terminal that nobody has open for a while costs nothing, and is read again", async () => {
  await using watched = await Watched.start();
  const script = "exec 3<>/dev/tty; tty=$(readlink /proc/$$/fd/3); tty=$(tty); " +
    "exec 0<&- 1>&- 2>&- 3>&-; read line <$0; echo again >$tty; exec sleep 1000";
  const fifo = `${watched.folder}/fifo`;
  watched.helper.makeFifo(fifo, 0o600);
  await watched.run({ ...ON_TERMINAL, script: script.replace("$0", fifo) });
  const ticks = () => ticksOf(`/proc/${watched.pid}`);
  const before = ticks();
  const writer = await Deno.open(fifo, { write: true });
  assert(ticks() - before < 5);
  await writer.write(encode("\n"));
  writer.close();
  await until("it is read", async () => (await watched.logged()).endsWith("stdout F again\r\n"));
});

Deno.test("whoever attaches to a terminal later gets the last of it", async () => {
  await using watched = await Watched.start();
  const script =
    "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo ready; exec sleep 1000";
  const log = watched.log("raw");
  await watched.run({ ...ON_TERMINAL, script, log });
  await until("all is read", async () => (await watched.logged()).endsWith("ready\r\n"));
  const whole = await watched.logged();
  using attached = await watched.monitor.attach("init", { stdin: false, replay: true });
  assertEquals(await readUntil(attached, "ready\r\n"), whole.slice(-16384));
  using silent = await watched.monitor.attach("init", { stdin: false, replay: false });
  await watched.monitor.resize("init", 10, 10);
  const before = Promise.race([silent.read(), Promise.resolve("nothing")]);
  assertEquals(await before, "nothing");
});

Deno.test("the fifo for shells takes lines", async () => {
  await using watched = await Watched.start();
  const script = "trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.01; done";
  const started = await watched.run({ ...ON_TERMINAL, script });
  await until("it is ready", async () => (await watched.logged()).includes("ready"));
  const control = (text: string) => Deno.writeTextFile(`${started.folder}/control`, text);
  for (
    const line of ["", "resize", "resize 5", "resize 70000 5", "resize 5 5 5", "resize -1 5"]
      .concat(
        ["unknown", "x".repeat(100), `${"y".repeat(70)}resize 1 1`, "close-stdin", "resize 133 43"],
      )
  ) await control(`${line}\n`);
  assertEquals((await watched.ended(started)).code, 5);
  assertEquals((await watched.logged()).split("\n").map((line) => line.slice(31)), [
    "stdout F ready\r",
    "stdout F 43 133\r",
    "",
  ]);
  const other = await watched.run({ name: "exec", script: "cat; exit 6", stdio: INPUT });
  await Deno.writeTextFile(`${other.folder}/control`, "close-std");
  await Deno.writeTextFile(`${other.folder}/control`, "in\n");
  assertEquals((await watched.ended(other)).code, 6);
});

Deno.test("a size that comes before the terminal is its size", async () => {
  await using watched = await Watched.start();
  const [reading, writing] = watched.helper.pipe();
  const script = "echo ready; read line <&3; stty size";
  const started = await watched.spawn({ ...ON_TERMINAL, script, preserved: [reading] });
  await watched.monitor.resize("init", 90, 20);
  await watched.watch(started);
  await until("it is ready", async () => (await watched.logged()).includes("ready"));
  watched.helper.write(writing, encode("\n"));
  await watched.ended(started);
  assertEquals((await watched.logged()).split("\n")[1]!.slice(31), "stdout F 20 90\r");
  for (const fd of [reading, writing]) watched.helper.close(fd);
  const other = await watched.run({ name: "exec", script: "exec sleep 1000" });
  await assertRejects(
    () => watched.monitor.resize(other.name, 1, 1),
    RuntsError,
    'resize the terminal of "exec": ENOTTY (inappropriate ioctl for device)',
  );
});

Deno.test("input stays open until it is closed, whoever comes and goes", async () => {
  await using watched = await Watched.start();
  const started = await watched.run({ script: "cat; echo end; exit 4", stdio: INPUT });
  for (const word of ["one", "two"]) {
    using attached = await watched.monitor.attach("init", { stdin: true, replay: false });
    await attached.write(encode(`${word}\n`));
    assertEquals(await readUntil(attached, "\n"), `${word}\n`);
  }
  await watched.monitor.closeStdin("init");
  await watched.monitor.closeStdin("init").catch(() => {}); // it may have ended meanwhile
  assertEquals((await watched.ended(started)).code, 4);
  assert((await watched.logged()).endsWith("stdout F end\n"));
});

Deno.test("input waits for a program that does not read, and none of it is lost", async () => {
  await using watched = await Watched.start();
  const fifo = `${watched.folder}/fifo`;
  watched.helper.makeFifo(fifo, 0o600);
  const script = `read line <${fifo}; sha256sum`;
  const started = await watched.run({ script, stdio: INPUT });
  const input = crypto.getRandomValues(new Uint8Array(65536));
  const all = new Uint8Array(65536 * 24);
  for (let i = 0; i < 24; i++) all.set(input, i * 65536);
  const attached = await watched.monitor.attach("init", { stdin: true, replay: false });
  const writing = attached.write(all).then(() => attached[Symbol.dispose]());
  // The monitor does not wait with it.
  assertEquals((await watched.monitor.status()).processes, 1);
  await Deno.writeTextFile(fifo, "\n");
  await writing;
  await watched.monitor.closeStdin("init");
  await watched.ended(started);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all)).toHex();
  assertEquals((await watched.logged()).slice(31), `stdout F ${digest}  -\n`);
});

Deno.test("what was sent before a detach arrives", async () => {
  await using watched = await Watched.start();
  const fifo = `${watched.folder}/fifo`;
  watched.helper.makeFifo(fifo, 0o600);
  const started = await watched.run({ script: `read line <${fifo}; wc -c`, stdio: INPUT });
  {
    using attached = await watched.monitor.attach("init", { stdin: true, replay: false });
    await attached.write(new Uint8Array(150_000));
  }
  await Deno.writeTextFile(fifo, "\n");
  await watched.monitor.closeStdin("init");
  await watched.ended(started);
  assertEquals(Number((await watched.logged()).slice(39)), 150_000);
});

Deno.test("both streams are told apart, and end with the program", async () => {
  await using watched = await Watched.start();
  await watched.run({ script: "read line; echo out; echo err >&2", stdio: INPUT, log: NO_LOG });
  using one = await watched.monitor.attach("init", { stdin: true, replay: false });
  using other = await watched.monitor.attach("init", { stdin: false, replay: true });
  await other.write(encode("not for it\n")); // it did not ask to
  await one.write(encode("go\n"));
  for (const attached of [one, other]) {
    const seen: Record<string, string> = { stdout: "", stderr: "" };
    for (let output; (output = await attached.read()) !== undefined;) {
      assert("stream" in output);
      seen[output.stream] += decode(output.bytes);
    }
    assertEquals(seen, { stdout: "out\n", stderr: "err\n" });
  }
});

Deno.test("a slow client loses output, is told how much, and holds nobody up", async () => {
  await using watched = await Watched.start();
  const script = "read line; head -c 3000000 /dev/zero; read line; echo last";
  const started = await watched.run({ script, stdio: INPUT, log: watched.log("raw") });
  using slow = await watched.monitor.attach("init", { stdin: true, replay: false });
  await slow.write(encode("go\n"));
  await until("all is in the log", async () => (await watched.logged()).length === 3_000_000);
  const { skipped } = await watched.monitor.status();
  let got = 0;
  while (got < 3_000_000 - Number(skipped)) {
    const output = await slow.read();
    assert(output !== undefined && "bytes" in output);
    got += output.bytes.length;
  }
  assert(skipped > 0n && got > 0);
  await slow.write(encode("go\n"));
  assertEquals(await slow.read(), { lost: skipped });
  assertEquals(await readUntil(slow), "last\n");
  assertEquals((await watched.ended(started)).code, 0);
});

Deno.test("nobody attaches to what is not there", async () => {
  await using watched = await Watched.start();
  await assertRejects(
    () => watched.monitor.attach("init", { stdin: true, replay: true }),
    RuntsError,
    'attach to "init": ENOENT (no such file or directory)',
  );
  await assertRejects(
    () => watched.monitor.closeStdin("x".repeat(300)),
    RuntsError,
    "EINVAL (invalid argument)",
  );
});
