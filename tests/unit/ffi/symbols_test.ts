/** The signatures in ffi/symbols.ts against c/helper/helper.h and the C compiler. */

import { assertEquals } from "@std/assert";
import { loadLibrary } from "../../../ffi/library.ts";
import { Size, SYMBOLS } from "../../../ffi/symbols.ts";
import { Message, RECORD_HEADER, RECORD_MAX } from "../../../lib/wire/messages.ts";
import { gcc } from "../../support/stand_in.ts";

const HEADER = new URL("../../../c/helper/helper.h", import.meta.url);
const TABLE = new URL("../../../ffi/symbols.ts", import.meta.url);

/** C types of scalars, as the signatures name them. */
const SCALARS: Record<string, string> = {
  int32_t: "i32",
  uint32_t: "u32",
  uint16_t: "u16",
  uint64_t: "u64",
};

const oneLine = (text: string) => text.replace(/\s+/g, " ").trim();

/** Prototypes by name, as they stand in the comments of the table. */
function prototypesOfTable(): Map<string, string> {
  const text = Deno.readTextFileSync(TABLE);
  const found = text.matchAll(/^ {2}\/\/ ((?:[^\n]|\n {2}\/\/)*?;)\n {2}(rts_\w+):/gm);
  return new Map(
    Array.from(found, ([, c, name]) => [name!, oneLine(c!.replaceAll("\n  //", " "))]),
  );
}

function prototypesOfHeader(): Map<string, string> {
  const text = Deno.readTextFileSync(HEADER);
  const found = text.matchAll(/^\w+ (rts_\w+)\([^;]*;/gm);
  return new Map(Array.from(found, ([c, name]) => [name!, oneLine(c)]));
}

/** What a prototype asks for: `int32_t f(const char *path)` is buffer -> i32. */
function signatureOf(prototype: string): { parameters: string[]; result: string } {
  const [, result, list] = /^(\w+) \w+\((.*)\);$/.exec(prototype)!;
  const parameters = list === "void"
    ? []
    : list!.split(", ").map((parameter) =>
      parameter.includes("*") ? "buffer" : SCALARS[parameter.split(" ")[0]!] ?? parameter
    );
  return { parameters, result: SCALARS[result!]! };
}

Deno.test("every signature has the prototype of the header", () => {
  assertEquals([...prototypesOfTable().keys()].sort(), Object.keys(SYMBOLS).sort());
  assertEquals(prototypesOfTable(), prototypesOfHeader());
});

Deno.test("every signature has the types and widths of its prototype", () => {
  const prototypes = prototypesOfTable();
  for (const [name, { parameters, result }] of Object.entries(SYMBOLS)) {
    assertEquals({ parameters: [...parameters], result }, signatureOf(prototypes.get(name)!), name);
  }
});

Deno.test("the library has every function", async () => {
  const library = await loadLibrary();
  for (const key of Object.keys(SYMBOLS) as (keyof typeof SYMBOLS)[]) {
    assertEquals(typeof library[key], "function", key);
  }
});

Deno.test("sizes, offsets and message numbers are those of C", async () => {
  const messages = Object.entries(Message).map(([name, value]) =>
    `_Static_assert(SYNC_${name.toUpperCase()} == ${value}, "${name}");`
  );
  const program = `
#include <stddef.h>
#include <termios.h>
#include <sys/un.h>
#include "helper.h"
#define SAME(a, b) _Static_assert((a) == (b), #a)
${messages.join("\n")}
SAME(sizeof(struct sync_header), ${RECORD_HEADER});
SAME(SYNC_RECORD_MAX, ${RECORD_MAX});
SAME(offsetof(struct sync_header, type), 0);
SAME(offsetof(struct sync_header, op), 4);
SAME(offsetof(struct sync_header, error), 8);
SAME(offsetof(struct sync_header, value), 16);
SAME(sizeof(struct pollfd), ${Size.pollfd});
SAME(offsetof(struct pollfd, fd), 0);
SAME(offsetof(struct pollfd, events), 4);
SAME(offsetof(struct pollfd, revents), 6);
_Static_assert(sizeof(struct termios) <= ${Size.termios}, "termios");
SAME(RTS_MESSAGE_FDS, ${Size.messageFds});
SAME(sizeof(struct rts_hook), ${Size.hook});
SAME(offsetof(struct rts_hook, args), 0);
SAME(offsetof(struct rts_hook, env), 4);
SAME(offsetof(struct rts_hook, input_length), 8);
SAME(offsetof(struct rts_hook, timeout), 12);
SAME(offsetof(struct rts_hook, output), 16);
SAME(offsetof(struct rts_hook, errors), 20);
SAME(sizeof(struct hook_process), ${Size.hookProcess});
SAME(offsetof(struct hook_process, pidfd), 4);
SAME(offsetof(struct hook_process, output), 8);
SAME(sizeof(struct hook_result), ${Size.hookResult});
SAME(offsetof(struct hook_result, error), 0);
SAME(offsetof(struct hook_result, status), 4);
SAME(offsetof(struct hook_result, signal), 8);
SAME(offsetof(struct hook_result, timed_out), 12);
SAME(offsetof(struct hook_result, duration_ns), 16);
SAME(offsetof(struct hook_result, stderr_length), 24);
SAME(offsetof(struct hook_result, stderr_tail), 32);
SAME(sizeof(int), 4);
int main(void) { return 0; }
`;
  const folder = await Deno.makeTempDir({ prefix: "runts-abi-" });
  try {
    await Deno.writeTextFile(`${folder}/abi.c`, program);
    const include = new URL("../../../c/helper", import.meta.url).pathname;
    await gcc("-std=gnu11", `-I${include}`, "-o", `${folder}/abi`, `${folder}/abi.c`);
    assertEquals((await new Deno.Command(`${folder}/abi`).output()).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
