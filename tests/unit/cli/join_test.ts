/** Detach keys. */

import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { KeyWatch, parseKeys } from "../../../lib/cli/join.ts";

Deno.test("keys are letters, or control and a letter", () => {
  assertEquals([...parseKeys("option", "ctrl-p,ctrl-q")], [16, 17]);
  assertEquals([...parseKeys("option", "ctrl-],q")], [0x1d, 0x71]);
  for (const text of ["", "ctrl-", "ctrl-1", "ab", "a,,b"]) {
    const key = JSON.stringify(text === "a,,b" ? "" : text);
    const message = `option: ${key} is not a key: as "ctrl-p" or "q"`;
    assertThrows(() => parseKeys("option", text), RuntsError, message);
  }
});

Deno.test("the beginning of the keys is held back until it is known what follows", () => {
  const watch = new KeyWatch(new Uint8Array([1, 2]));
  const pass = (...bytes: number[]) => {
    const passed = watch.pass(new Uint8Array(bytes));
    return passed && [...passed];
  };
  assertEquals(pass(5, 1), [5]);
  assertEquals(pass(6), [1, 6]);
  assertEquals(pass(1), []);
  assertEquals(pass(1), [1]);
  assertEquals(pass(2), undefined);
});
