/** lib/wire/front.ts against c/include/front.h. */

import { assertEquals } from "@std/assert";
import {
  COLD,
  decodeCalled,
  decodeDescriptor,
  decodeGreeting,
  ForegroundStep,
} from "../../../lib/wire/front.ts";
import { gcc } from "../../support/stand_in.ts";

Deno.test("numbers and layouts are those of C", async () => {
  const folder = await Deno.makeTempDir({ prefix: "runts-front-" });
  const include = new URL("../../../c/include", import.meta.url).pathname;
  try {
    await Deno.writeTextFile(
      `${folder}/front.c`,
      `#include <stddef.h>
#include "front.h"
#define SAME(a, b) _Static_assert((a) == (b), #a)
SAME(BODY_COLD, ${COLD});
SAME(BODY_FRONT_ID_LENGTH, 32);
SAME(BODY_DESCRIPTOR_OPEN, 1);
SAME(BODY_DESCRIPTOR_INHERITED, 2);
SAME(BODY_DESCRIPTOR_TERMINAL, 4);
SAME(BODY_FOREGROUND_BEGIN, ${ForegroundStep.begin});
SAME(BODY_FOREGROUND_TARGET, ${ForegroundStep.target});
SAME(BODY_FOREGROUND_TERMINAL, ${ForegroundStep.terminal});
SAME(BODY_FOREGROUND_END, ${ForegroundStep.end});
SAME(sizeof(struct body_greet), 40);
SAME(offsetof(struct body_greet, front_id), 8);
SAME(offsetof(struct body_descriptor, rows), 4);
SAME(offsetof(struct body_descriptor, columns), 6);
SAME(offsetof(struct body_program, error), 4);
`,
    );
    await gcc("-std=gnu11", `-I${include}`, "-c", "-o", `${folder}/o`, `${folder}/front.c`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const text = (words: string) => new TextEncoder().encode(words);

function greeting(id: string, words: string): DataView {
  const bytes = new Uint8Array([2, 0, 0, 0, 1, 0, 0, 0, ...text(id), ...text(words)]);
  return new DataView(bytes.buffer);
}

Deno.test("a greeting has an id, counts and texts", () => {
  const id = "0123456789abcdef".repeat(2);
  const found = decodeGreeting(greeting(id, "runts\0list\0A=1\0"))!;
  assertEquals([found.frontId, found.counts], [id, [2, 1]]);
  assertEquals(decodeCalled(found.counts, found.texts), { args: ["runts", "list"], env: ["A=1"] });
  assertEquals(decodeGreeting(greeting("too short", "")), undefined);
});

Deno.test("what a front was called with may be empty, and no UTF-8", () => {
  assertEquals(decodeCalled([2, 1], new Uint8Array([0x61, 0, 0, 0xff, 0])), {
    args: ["a", ""],
    env: ["\udcff"],
  });
});

Deno.test("fewer texts than were told, or more, or without an end are none", () => {
  assertEquals(decodeCalled([2, 1], text("a\0b\0")), undefined);
  assertEquals(decodeCalled([1, 0], text("a\0b\0")), undefined);
  assertEquals(decodeCalled([1, 0], text("a")), undefined);
  assertEquals(decodeCalled([0, 0], text("")), { args: [], env: [] });
});

Deno.test("a descriptor tells what it is", () => {
  const of = (flags: number) =>
    decodeDescriptor(new DataView(new Uint8Array([flags, 0, 0, 0, 25, 0, 80, 0]).buffer));
  assertEquals(of(0), { open: false, inherited: false, terminal: undefined });
  assertEquals(of(7), { open: true, inherited: true, terminal: { rows: 25, cols: 80 } });
});
