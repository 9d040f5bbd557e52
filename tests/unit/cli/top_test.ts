/** The table of top, and its keys. */

import { assertEquals } from "@std/assert";
import { TopKeys } from "../../../lib/cli/top_keys.ts";
import { type Order, topSummary, topTable } from "../../../lib/cli/top_view.ts";
import type { Usage } from "../../../lib/supervise/usage.ts";

const MiB = 2 ** 20;

const USAGES: readonly Usage[] = [
  {
    ...{ id: "db", pid: 20, status: "running", restarts: 2 } as const,
    ...{ cpuTime: 3_725_500_000_000, cpuKernel: 1, cpuUser: 2, cpu: 12.34 },
    ...{ memory: 64 * MiB, memoryLimit: 128 * MiB, pids: 7, pidsLimit: 100 },
    ...{ read: 10, written: 20, readRate: 1536, writeRate: 0 },
    pressure: { cpu: 1.2, memory: 0, io: 33.6 },
  },
  { id: "old", pid: 0, status: "stopped" },
  {
    ...{ id: "web", pid: 10, status: "paused", cpuTime: 62_350_000_000, cpu: 150 } as const,
    ...{ memory: 3 * MiB, pids: 1, read: 0, written: 0, readRate: 0, writeRate: 0 },
  },
];

function ids(order: Order): string[] {
  return topTable(USAGES, order).slice(1).map((line) => line.split(" ")[0]!);
}

Deno.test("the table of top", () => {
  assertEquals(topTable(USAGES, { by: "cpu", reverse: false }), [
    "ID   STATUS       CPU     TIME               MEMORY  OF LIMIT      PIDS   READ/S  WRITE/S" +
    "  PRESSURE  RESTARTS",
    "web  paused   150.0 %  1:02.35              3.0 MiB         -         1      0 B      0 B" +
    "         -         -",
    "db   running   12.3 %  1:02:05  64.0 MiB of 128 MiB    50.0 %  7 of 100  1.5 KiB      0 B" +
    "    1/0/34         2",
    "old  stopped        -        -                    -         -         -        -        -" +
    "         -         -",
  ]);
});

Deno.test("what has no value comes last, whatever the order", () => {
  assertEquals(ids({ by: "cpu", reverse: false }), ["web", "db", "old"]);
  assertEquals(ids({ by: "cpu", reverse: true }), ["db", "web", "old"]);
  assertEquals(ids({ by: "id", reverse: false }), ["db", "old", "web"]);
  assertEquals(ids({ by: "id", reverse: true }), ["web", "old", "db"]);
  assertEquals(ids({ by: "pressure", reverse: false }), ["db", "old", "web"]);
  assertEquals(ids({ by: "share", reverse: true }), ["db", "old", "web"]);
});

Deno.test("lines are cut to the window, and the heading that counts is set off", () => {
  const mark = (heading: string) => `[${heading}]`;
  const [head, ...rows] = topTable(USAGES, { by: "status", reverse: false }, 24, mark);
  assertEquals(head, "ID   [STATUS ]      CPU");
  assertEquals(rows, [
    "web  paused   150.0 %  1",
    "db   running   12.3 %  1",
    "old  stopped        -",
  ]);
  const [beyond] = topTable(USAGES, { by: "restarts", reverse: false }, 24, mark);
  assertEquals(beyond, "ID   STATUS       CPU");
});

Deno.test("names cannot move the cursor", () => {
  const [, row] = topTable([{ id: "a\x1b[2J", pid: 0, status: "stopped" }], {
    by: "id",
    reverse: false,
  });
  assertEquals(row?.split(" ")[0], "a\\u001b[2J");
});

Deno.test("the sum of all", () => {
  assertEquals(
    topSummary(USAGES),
    "3 containers, 1 running: cpu 162.3 %, memory 67.0 MiB, 8 pids",
  );
  assertEquals(topSummary([]), "0 containers, 0 running: cpu 0.0 %, memory 0 B, 0 pids");
});

Deno.test("keys of top", () => {
  const keys = new TopKeys({ by: "cpu", reverse: false }, 2000);
  const pressed = (...all: string[]) => {
    const answers = all.map((key) => keys.press(key));
    return [answers.at(-1), keys.order.by, keys.order.reverse];
  };
  assertEquals(pressed("M"), ["go on", "memory", false]);
  assertEquals(pressed("R"), ["go on", "memory", true]);
  assertEquals(pressed("R", "N"), ["go on", "id", false]);
  assertEquals(pressed("<"), ["go on", "id", false]);
  assertEquals(pressed(">", ">"), ["go on", "cpu", false]);
  assertEquals(pressed("T", "?"), ["go on", "time", false]);
  assertEquals(pressed("P"), ["go on", "cpu", false]);
  for (const key of ["q", "Q", "\x03", "\x04"]) assertEquals(keys.press(key), "end");
});

Deno.test("when top reads again", () => {
  const keys = new TopKeys({ by: "cpu", reverse: true }, 1000);
  assertEquals(keys.isDue(0), true);
  keys.read(100);
  assertEquals([keys.isDue(1099), keys.left(600), keys.isDue(1100)], [false, 500, true]);
  keys.press(" ");
  assertEquals(keys.isDue(200), true);
  keys.press("+");
  keys.read(0);
  assertEquals(keys.left(0), 2000);
  for (let times = 0; times < 9; times++) keys.press("-");
  keys.read(0);
  assertEquals(keys.left(0), 250);
  assertEquals(
    keys.line,
    "by CPU, reversed, every 0.25 s   " +
      "q quit  P M T N < > sort  R reverse  space now  + - interval",
  );
});
