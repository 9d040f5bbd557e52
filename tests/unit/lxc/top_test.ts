/** What `lxc top` shows of its figures. */

import { assertEquals } from "@std/assert";
import {
  BATCH_HEADING,
  batchLines,
  screenText,
  sortedRows,
  type TopRow,
} from "../../../lib/lxc/top.ts";

const row = (name: string, figure: number): TopRow => ({
  name,
  ...{ cpu: figure * 1e9, system: figure * 1e8, user: 0, io: figure * 1024, read: figure * 1024 },
  ...{ written: 0, ios: figure, memory: 1 << 20, swap: 2 << 20, kernel: 1536 },
});

Deno.test("lines for a file have as many numbers as its heading names", () => {
  const [line] = batchLines([row("web", 3)], 1000).split("\n");
  assertEquals(line, "1000,web,3000000000,30,0,3072,3,1048576,2097152,1536");
  assertEquals(BATCH_HEADING.split(",").length, line!.split(",").length);
});

Deno.test("names are sorted from the first, figures from the greatest", () => {
  const rows = [row("b", 1), row("a", 2), row("c", 3)];
  const names = (sort: "n" | "c", reverse: boolean) =>
    sortedRows(rows, sort, reverse).map(({ name }) => name).join("");
  assertEquals([names("n", false), names("n", true)], ["abc", "cba"]);
  assertEquals([names("c", false), names("c", true)], ["cab", "bac"]);
});

Deno.test("a screen has what there is room for, and the sum of all", () => {
  const rows = Array.from({ length: 5 }, (_, at) => row(`c${at}`, 1));
  const lines = screenText(rows, 6).split("\n");
  assertEquals(lines.length, 6);
  assertEquals(
    lines[2],
    "c0                           1.00         0.10         0.00           1.00 " +
      "KiB(1.00 KiB/0 bytes)    1.00 MiB    2.00 MiB    1.50 KiB",
  );
  assertEquals(lines[5]!.slice(0, 33), "TOTAL 3 of 5                 5.00");
});
