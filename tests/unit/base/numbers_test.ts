/** Lists of CPUs and memory nodes. */

import { assertEquals } from "@std/assert";
import { numberMask, parseList } from "../../../lib/base/numbers.ts";

Deno.test("parseList takes numbers and ranges", () => {
  assertEquals(parseList("0-2,5,7-7"), [0, 1, 2, 5, 7]);
  assertEquals(parseList(" 1 - 2 , 4"), [1, 2, 4]);
  assertEquals(["", " ", "x", "5-3"].map(parseList), [[], [], [], []]);
});

Deno.test("numberMask has the lowest number first", () => {
  assertEquals(numberMask("0-2,8"), new Uint8Array([7, 1]));
  assertEquals(numberMask("15"), new Uint8Array([0, 128]));
  assertEquals(numberMask(""), new Uint8Array());
});

Deno.test("numbers that no kernel has take no room", () => {
  assertEquals(numberMask("0-999999").length, 125_000);
  assertEquals(parseList("0-99999999999,3"), [3]);
  assertEquals(numberMask("99999999999"), new Uint8Array());
});
