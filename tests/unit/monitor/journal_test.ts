/** The events of a state root. */

import { assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { Journal } from "../../../lib/monitor/journal.ts";

async function withRoot(body: (root: string) => Promise<void>): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "runts-events-" });
  try {
    await body(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

const numbers = async (journal: Journal, since = 0) =>
  (await Array.fromAsync(journal.read({ since }))).map(({ seq }) => seq);

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

Deno.test("events are numbered from 1, and read from any of them on", async () => {
  await withRoot(async (root) => {
    const helper = await loadHelper();
    const journal = new Journal(root);
    assertEquals([journal.newest(), await numbers(journal)], [0, []]);
    const time = "2026-11-30T10:00:00.000Z";
    await journal.append(helper, { type: "created", id: "web", time, pid: 7 });
    await journal.append(helper, { type: "exited", id: "web", time, code: 5, signal: 0 });
    assertEquals(await Array.fromAsync(journal.read()), [
      { seq: 1, time, type: "created", id: "web", pid: 7 },
      { seq: 2, time, type: "exited", id: "web", code: 5, signal: 0 },
    ]);
    assertEquals(await numbers(journal, 1), [2]);
    assertEquals(journal.newest(), 2);
  });
});

Deno.test("several writers at once leave no gap, also where files are put aside", async () => {
  await withRoot(async (root) => {
    const helper = await loadHelper();
    const writers = [1, 2, 3, 4].map(async (writer) => {
      const journal = new Journal(root, 2_000);
      for (let count = 0; count < 20; count++) {
        await journal.append(helper, { type: "started", id: `c${writer}` });
      }
    });
    await Promise.all(writers);
    assertEquals(await numbers(new Journal(root)), upTo(80));
  });
});

Deno.test("an event is found far behind, and behind a line of any length", async () => {
  await withRoot(async (root) => {
    const helper = await loadHelper();
    const journal = new Journal(root);
    const failure = "ü".repeat(10_000);
    await journal.append(helper, { type: "exited", id: "web", pid: 7, code: 5 });
    for (let count = 0; count < 100; count++) {
      await journal.append(helper, { type: "restarting", id: "other", delay: count });
    }
    const long = await journal.append(helper, { type: "restarting", id: "other", failure });
    assertEquals([journal.newest(), long.seq, long.failure], [102, 102, failure]);
    const event = { type: "exited", id: "web", pid: 7, code: 5 } as const;
    assertEquals((await journal.append(helper, event, true)).seq, 1);
    const again = { type: "restarting", id: "other", failure } as const;
    assertEquals((await journal.append(helper, again, true)).failure, failure);
    assertEquals(journal.newest(), 102);
  });
});

Deno.test("only so many old files are kept", async () => {
  await withRoot(async (root) => {
    const helper = await loadHelper();
    const journal = new Journal(root, 200);
    for (let count = 0; count < 30; count++) {
      await journal.append(helper, { type: "started", id: "web" });
    }
    const names = Array.from(Deno.readDirSync(`${root}/.events`), ({ name }) => name).sort();
    const files = ["events.ndjson", ...[1, 2, 3, 4].map((number) => `events.ndjson.${number}`)];
    assertEquals(names, [...files, "lock"]);
    const left = await numbers(journal);
    assertEquals(left, upTo(30, left[0]));
  });
});

Deno.test("the part of a line that a killed writer left is passed over", async () => {
  await withRoot(async (root) => {
    const helper = await loadHelper();
    const journal = new Journal(root);
    await journal.append(helper, { type: "created", id: "web" });
    Deno.writeTextFileSync(`${root}/.events/events.ndjson`, '{"seq":2,"type":"st', {
      append: true,
    });
    assertEquals(await numbers(journal), [1]);
    await journal.append(helper, { type: "started", id: "web" });
    assertEquals(await numbers(journal), [1, 2]);
  });
});

Deno.test("an event that is there already is not written once more", async () => {
  await withRoot(async (root) => {
    const helper = await loadHelper();
    const journal = new Journal(root);
    const first = await journal.append(helper, { type: "exited", id: "web", pid: 7 }, true);
    const second = await journal.append(helper, { type: "exited", id: "web", pid: 7 }, true);
    assertEquals([second, await numbers(journal)], [first, [1]]);
    await journal.append(helper, { type: "started", id: "web", pid: 7 });
    await journal.append(helper, { type: "exited", id: "web", pid: 7 }, true);
    assertEquals(await numbers(journal), [1, 2, 3]);
  });
});

Deno.test("whoever follows is told of what comes", async () => {
  await withRoot(async (root) => {
    const helper = await loadHelper();
    const journal = new Journal(root, 200);
    const events = journal.read({ follow: true });
    for (let number = 1; number <= 10; number++) {
      const next = events.next();
      await journal.append(helper, { type: "started", id: "web" });
      assertEquals((await next).value?.seq, number);
    }
    await events.return(undefined);
  });
});
