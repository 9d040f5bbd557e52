/** What a monitor writes to logs, and what becomes of the program when a log takes nothing. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { Watched } from "../../support/monitor.ts";
import { until } from "../../support/runtime.ts";

const INPUT = { kind: "pipes", input: true } as const;
const encode = (text: string) => new TextEncoder().encode(text);
const lines = (text: string) => text.split("\n").slice(0, -1);

/** A program that waits for a line of input between its parts. */
const inParts = (...parts: string[]) => parts.join("; read line; ");

/** Lets it go on. */
async function go(watched: Watched, name = "init"): Promise<void> {
  using attached = await watched.monitor.attach(name, { stdin: true, replay: false });
  await attached.write(encode("\n"));
}

Deno.test("each form has its own shape", async () => {
  await using watched = await Watched.start();
  for (const driver of ["cri", "json", "raw"] as const) {
    const log = { driver, path: `${watched.folder}/${driver}` };
    const script = String.raw`printf 'a "b"\0\377\nend'; echo err >&2`;
    await watched.ended(await watched.run({ name: driver, script, log }));
  }
  const raw = await Deno.readFile(`${watched.folder}/raw`);
  assertEquals(
    [...raw].map((byte) => String.fromCharCode(byte)).join("").replace("err\n", ""),
    'a "b"\0\xff\nend',
  );
  const entries = lines(await watched.logged("json")).map((line) => JSON.parse(line));
  assertEquals(entries.map(({ log, stream }) => [stream, log]).sort(), [
    ["stderr", "err\n"],
    ["stdout", 'a "b"\0\ufffd\n'],
    ["stdout", "end"],
  ]);
  for (const { time } of entries) assert(Math.abs(Date.parse(time) - Date.now()) < 600_000);
  const cri = await Deno.readFile(`${watched.folder}/cri`);
  assert([...cri].includes(0xff) && [...cri].includes(0));
});

Deno.test("much output over many files: no line is missing, twice or torn", async () => {
  await using watched = await Watched.start();
  const count = 1_500_000;
  const script = `seq -f 'line number %.0f with some text behind it' ${count}`;
  const log = watched.log("cri", { maxSize: 1_000_000, maxFiles: 1000 });
  const started = await watched.run({ script, log });
  assertEquals((await watched.ended(started)).code, 0);
  const files = [...Deno.readDirSync(watched.folder)].map(({ name }) => name)
    .filter((name) => name.startsWith("log")).map((name) => Number(name.slice(4)));
  let next = 1;
  for (const number of files.sort((a, b) => b - a)) {
    const text = await watched.logged(number > 0 ? `log.${number}` : "log");
    assert(text.length <= 1_000_000);
    for (const line of lines(text)) {
      if (line.slice(40) !== `line number ${next} with some text behind it`) {
        throw new Error(`log.${number}: ${line} instead of line ${next}`);
      }
      next++;
    }
  }
  assertEquals(next, count + 1);
  assert(files.length > 100);
  assertEquals((await watched.monitor.status()).lost, 0n);
});

Deno.test("only so many files are kept, and a further process appends", async () => {
  await using watched = await Watched.start();
  const log = watched.log("raw", { maxSize: 1000, maxFiles: 3 });
  await watched.ended(await watched.run({ script: "seq 1000", log }));
  const names = [...Deno.readDirSync(watched.folder)].map(({ name }) => name);
  assertEquals(names.filter((name) => name.startsWith("log")).sort(), ["log", "log.1", "log.2"]);
  const before = await watched.logged();
  await watched.ended(await watched.run({ script: "echo again", log }));
  assertEquals(await watched.logged(), `${before}again\n`);
});

Deno.test("a log that was deleted is made anew; a renamed one is left when asked", async () => {
  await using watched = await Watched.start();
  const { folder, monitor } = watched;
  const script = inParts("echo one", "echo two", "echo three", "echo four");
  const started = await watched.run({ script, stdio: INPUT, log: watched.log("raw") });
  const logged = (text: string) =>
    until(`the log is ${text}`, async () => await watched.logged().catch(() => "") === text);
  await logged("one\n");
  await Deno.remove(`${folder}/log`);
  await go(watched);
  await logged("two\n");
  await Deno.rename(`${folder}/log`, `${folder}/old`);
  await monitor.reopenLog("init");
  await go(watched);
  await logged("three\n");
  assertEquals(await watched.logged("old"), "two\n");
  await Deno.rename(`${folder}/log`, `${folder}/other`);
  await Deno.mkdir(`${folder}/log`);
  await assertRejects(
    () => monitor.reopenLog("init"),
    RuntsError,
    'reopen the log of "init": EISDIR (is a directory)',
  );
  await go(watched);
  await watched.ended(started);
  assertEquals((await monitor.status()).lost, 5n);
});

/** Runs a test with a small filesystem in memory. */
async function withSmallDisk(watched: Watched, run: (path: string) => Promise<void>) {
  const path = `${watched.folder}/disk`;
  await Deno.mkdir(path);
  const shell = (...args: string[]) => new Deno.Command(args[0]!, { args: args.slice(1) }).output();
  assert((await shell("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path)).success);
  try {
    await run(path);
  } finally {
    await shell("umount", "-l", path);
  }
}

Deno.test({
  name: "a full disk: the program goes on, lines stay whole, and the loss is told",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using watched = await Watched.start();
    await withSmallDisk(watched, async (disk) => {
      const path = `${disk}/log`;
      const script = inParts("seq -f 'line %.0f' 200000", "echo last");
      const stdio = INPUT;
      const started = await watched.run({ script, stdio, log: { driver: "raw", path } });
      const written = lines(Array.from({ length: 200_000 }, (_, i) => `line ${i + 1}\n`).join(""))
        .reduce((sum, line) => sum + line.length + 1, 0);
      await until("all was read", async () => {
        const status = await watched.monitor.status();
        return Number(status.written + status.lost) === written;
      });
      const { lost } = await watched.monitor.status();
      assert(lost > 0n);
      const before = lines(await Deno.readTextFile(path));
      before.forEach((line, i) => line === `line ${i + 1}` || assert(false, line));
      await Deno.truncate(path, 0);
      await go(watched);
      assertEquals((await watched.ended(started)).code, 0);
      assertEquals(await Deno.readTextFile(path), `${lost} bytes lost\nlast\n`);
      // The record had its room from the start.
    });
  },
});

Deno.test({
  name: "an end is recorded on a full disk",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using watched = await Watched.start();
    await withSmallDisk(watched, async (disk) => {
      const started = await watched.spawn({ script: "read line; exit 8", stdio: INPUT });
      await Deno.rename(started.folder, `${disk}/init`).catch(async () => {
        await Deno.mkdir(`${disk}/init`); // another filesystem
        watched.helper.makeFifo(`${disk}/init/exit`, 0o600);
      });
      await watched.watch({ ...started, folder: `${disk}/init` }, { log: { driver: "none" } });
      await assertRejects(() => Deno.writeFile(`${disk}/rest`, new Uint8Array(1 << 20)));
      await watched.monitor.closeStdin("init");
      assertEquals((await watched.ended({ ...started, folder: `${disk}/init` })).code, 8);
    });
  },
});

Deno.test("a fifo that nobody reads holds neither program nor monitor up", async () => {
  await using watched = await Watched.start();
  const path = `${watched.folder}/fifo`;
  watched.helper.makeFifo(path, 0o600);
  const script = "seq -f 'line %.0f' 100000";
  const started = await watched.run({ script, log: { driver: "raw", path } });
  assertEquals((await watched.ended(started)).code, 0);
  const text = await Deno.readTextFile(path); // to its end: the monitor closes it when all is taken
  let next = 1;
  let lost = 0;
  for (const line of lines(text)) {
    const loss = /^(\d+) bytes lost$/.exec(line);
    if (loss === null) {
      const number = Number(line.slice(5));
      assert(line === `line ${number}` && (number === next || lost > 0), line);
      next = number + 1;
    } else lost += Number(loss[1]);
  }
  assert(lost > 500_000 && next > 1000);
  assertEquals(BigInt(lost), (await watched.monitor.status()).lost);
});

Deno.test("the journal gets entries; one that takes none holds nobody up", async () => {
  await using watched = await Watched.start();
  const { helper } = watched;
  const path = `${watched.folder}/journal`;
  const journal = helper.bindDatagram(path, 0o600);
  const fields = ["CONTAINER_ID=c1", "CONTAINER_NAME=name"];
  const log = { driver: "journald", path, fields } as const;
  const script = inParts("echo one; echo two >&2", "seq 10000", "echo last");
  const started = await watched.run({ script, stdio: INPUT, log });
  const entry = () => new TextDecoder().decode(helper.receiveDatagram(journal, 10_000).bytes);
  const rest = "CONTAINER_ID=c1\nCONTAINER_NAME=name\n";
  assertEquals([entry(), entry()].sort(), [
    `MESSAGE=one\nPRIORITY=6\n${rest}`,
    `MESSAGE=two\nPRIORITY=3\n${rest}`,
  ]);
  await go(watched);
  await until("something is lost", async () => (await watched.monitor.status()).lost > 0n);
  const message = () => /^MESSAGE=(.*)/.exec(entry())![1]!;
  let told = 0n;
  while (told === 0n || told < (await watched.monitor.status()).lost) {
    told += BigInt(/^(\d+) bytes lost$/.exec(message())?.[1] ?? 0);
  }
  await go(watched);
  while (message() !== "last") { /* what came after the loss */ }
  assertEquals((await watched.ended(started)).code, 0);
  assertEquals((await watched.monitor.status()).lost, told);
  helper.close(journal);
});

Deno.test("a log that cannot be made is told before anything is watched", async () => {
  await using watched = await Watched.start();
  const started = await watched.spawn({ script: "exec sleep 1000" });
  const watch = (path: string) => watched.watch(started, { log: { driver: "cri", path } });
  const begin = `watch process ${started.pid}: `;
  await assertRejects(
    () => watch(`${watched.folder}/no/log`),
    RuntsError,
    `${begin}ENOENT (no such file or directory)`,
  );
  await assertRejects(() => watch("log"), RuntsError, `${begin}EINVAL (invalid argument)`);
  assertEquals([...Deno.readDirSync(started.folder)].map(({ name }) => name).sort(), [
    "control",
    "exit",
  ]);
  await watch(`${watched.folder}/log`);
});

Deno.test("processes may share a log", async () => {
  await using watched = await Watched.start();
  const log = watched.log("raw", { maxSize: 500, maxFiles: 100 });
  const all = await Promise.all(
    ["a", "b"].map(async (name) =>
      await watched.run({ name, script: `for i in $(seq 500); do echo ${name} $i; done`, log })
    ),
  );
  for (const started of all) assertEquals((await watched.ended(started)).code, 0);
  const names = [...Deno.readDirSync(watched.folder)].map(({ name }) => name)
    .filter((name) => name.startsWith("log"));
  const found = (await Promise.all(names.map((name) => watched.logged(name)))).flatMap(lines);
  assertEquals(
    found.sort(),
    ["a", "b"].flatMap((name) => Array.from({ length: 500 }, (_, i) => `${name} ${i + 1}`)).sort(),
  );
});
