/** Reading and following logs. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import type { LogOptions } from "../../../lib/monitor/follow.ts";
import type { LogLine } from "../../../lib/supervise/log_line.ts";
import { readLog } from "../../../lib/supervise/log_reader.ts";

type Driver = "cri" | "json-file" | "raw";

async function withLog(body: (path: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "runts-log-" });
  try {
    await body(`${directory}/output.log`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

async function texts(path: string, options: LogOptions = {}, driver: Driver = "cri") {
  const lines = await Array.fromAsync(readLog({ path, driver }, options));
  return lines.map(({ text }) => text);
}

const at = (second: number) => `2026-11-30T10:00:${String(second).padStart(2, "0")}.000000001Z`;
const cri = (number: number, tag = "F", stream = "stdout") =>
  `${at(number % 60)} ${stream} ${tag} line ${number}\n`;

function append(path: string, text: string): void {
  Deno.writeTextFileSync(path, text, { append: true });
}

/** As a monitor does it. */
function rotate(path: string, files: number): void {
  for (let number = files - 2; number >= 0; number--) {
    const from = number === 0 ? path : `${path}.${number}`;
    try {
      Deno.renameSync(from, `${path}.${number + 1}`);
    } catch {
      // there are not as many yet
    }
  }
}

Deno.test("each form gives stream, time and text", async () => {
  await withLog(async (path) => {
    const read = (driver: Driver) => Array.fromAsync(readLog({ path, driver }, {}));
    const time = "2026-11-30T10:00:00.123456789Z";
    const line = (text: string, more: Partial<LogLine> = {}): LogLine => ({
      stream: "stdout",
      time,
      text,
      partial: false,
      ...more,
    });
    append(
      path,
      `${time} stdout F a b \n${time} stderr P part\n${time} stdout F \n${time} stdout P\n`,
    );
    assertEquals(await read("cri"), [
      line("a b "),
      line("part", { stream: "stderr", partial: true }),
      line(""),
      line("", { partial: true }),
    ]);
    Deno.writeTextFileSync(
      path,
      `{"log":"a\\u0000\\n","stream":"stdout","time":"${time}"}\n` +
        `{"log":"b","stream":"stderr","time":"${time}"}\n`,
    );
    assertEquals(await read("json-file"), [
      line("a\0"),
      line("b", { stream: "stderr", partial: true }),
    ]);
    Deno.writeTextFileSync(path, "one\ntwo");
    assertEquals(await read("raw"), [
      line("one", { time: "" }),
      line("two", { time: "", partial: true }),
    ]);
  });
});

Deno.test("bytes that are no text, and lines that are none of the form, are given", async () => {
  await withLog(async (path) => {
    Deno.writeFileSync(
      path,
      new Uint8Array([...new TextEncoder().encode(`${at(1)} stdout F a`), 0, 0xff, 0x0a]),
    );
    append(path, "damaged\n{}\n");
    assertEquals(await texts(path), ["a\0\udcff", "damaged", "{}"]);
    assertEquals((await texts(path, {}, "json-file")).slice(1), ["damaged", "{}"]);
  });
});

Deno.test("a log that is not there has no lines, and one of no files cannot be read", async () => {
  await withLog(async (path) => {
    assertEquals(await texts(path), []);
    for (const driver of ["journald", "none"] as const) {
      assertThrows(
        () => readLog({ path, driver }, {}),
        RuntsError,
        `log driver "${driver}" keeps nothing that could be read`,
      );
    }
    await assertRejects(
      () => texts(path, { since: new Date() }, "raw"),
      RuntsError,
      'log driver "raw" keeps no times: read it without --since',
    );
  });
});

Deno.test("all files of a log are read, the oldest first", async () => {
  await withLog(async (path) => {
    append(`${path}.2`, cri(1) + cri(2));
    append(`${path}.1`, cri(3));
    append(path, cri(4));
    assertEquals(await texts(path), ["line 1", "line 2", "line 3", "line 4"]);
    assertEquals(await texts(path, { tail: 3 }), ["line 2", "line 3", "line 4"]);
    assertEquals(await texts(path, { tail: 0 }), []);
    assertEquals(await texts(path, { tail: 9 }), ["line 1", "line 2", "line 3", "line 4"]);
    const since = new Date(at(3));
    assertEquals(await texts(path, { since }), ["line 3", "line 4"]);
    assertEquals(await texts(path, { since, tail: 1 }), ["line 4"]);
  });
});

Deno.test("the last lines of a long log are found from its end", async () => {
  await withLog(async (path) => {
    const lines = Array.from({ length: 30_000 }, (_, number) => cri(number));
    append(path, lines.join(""));
    const expected = Array.from({ length: 5_000 }, (_, number) => `line ${25_000 + number}`);
    assertEquals(await texts(path, { tail: 5_000 }), expected);
  });
});

Deno.test("the parts of a line count as one", async () => {
  await withLog(async (path) => {
    append(path, cri(1) + cri(2, "P") + cri(3, "P") + cri(4) + cri(5, "P"));
    assertEquals(await texts(path, { tail: 1 }), ["line 5"]);
    assertEquals(await texts(path, { tail: 2 }), ["line 2", "line 3", "line 4", "line 5"]);
  });
});

Deno.test("whoever follows gets each line once, however often the log is put aside", async () => {
  await withLog(async (path) => {
    const count = 2_000;
    const end = Promise.withResolvers<void>();
    const write = async () => {
      for (let number = 0; number < count; number++) {
        const line = cri(number);
        append(path, line.slice(0, 9));
        if (number % 50 === 7) await new Promise((resolve) => setTimeout(resolve, 1));
        append(path, line.slice(9));
        if (number % 23 === 0) rotate(path, 100);
        if (number % 40 === 3) await new Promise((resolve) => setTimeout(resolve, 0));
      }
      end.resolve();
    };
    const writing = write();
    const lines = await Array.fromAsync(
      readLog({ path, driver: "cri" }, { follow: true }, end.promise),
    );
    await writing;
    assertEquals(
      lines.map(({ text }) => text),
      Array.from({ length: count }, (_, number) => `line ${number}`),
    );
  });
});

Deno.test("a log that somebody removes is followed in the file that comes after it", async () => {
  await withLog(async (path) => {
    append(`${path}.1`, cri(1));
    append(path, cri(2));
    const earlier = new Date(Date.now() - 10_000);
    for (const file of [`${path}.1`, path]) Deno.utimeSync(file, earlier, earlier);
    const lines = readLog({ path, driver: "cri" }, { follow: true });
    const texts = [(await lines.next()).value?.text, (await lines.next()).value?.text];
    Deno.removeSync(path);
    append(path, cri(3));
    texts.push((await lines.next()).value?.text);
    assertEquals(texts, ["line 1", "line 2", "line 3"]);
    await lines.return(undefined);
  });
});

Deno.test("a log that somebody cuts is followed from its new beginning", async () => {
  await withLog(async (path) => {
    append(path, cri(1) + cri(2));
    const lines = readLog({ path, driver: "cri" }, { follow: true, tail: 1 });
    assertEquals((await lines.next()).value?.text, "line 2");
    Deno.truncateSync(path);
    append(path, cri(3));
    assertEquals((await lines.next()).value?.text, "line 3");
    await lines.return(undefined);
  });
});

Deno.test("a signal ends the following with its reason", async () => {
  await withLog(async (path) => {
    const controller = new AbortController();
    const lines = readLog({ path, driver: "cri" }, { follow: true, signal: controller.signal });
    const next = lines.next();
    controller.abort(new Error("enough"));
    await assertRejects(() => next, Error, "enough");
  });
});
