/** lib/wire/body.ts against c/include/body.h. */

import { assertEquals } from "@std/assert";
import * as body from "../../../lib/wire/body.ts";
import { gcc } from "../../support/stand_in.ts";

/** `closeStdin` as `CLOSE_STDIN`. */
const asC = (name: string) => name.replace(/[A-Z]/g, "_$&").toUpperCase();

/** An assertion for each entry of a table. */
function same(prefix: string, values: Readonly<Record<string, number>>, suffix = ""): string {
  return Object.entries(values)
    .map(([name, value]) => `SAME(${prefix}${asC(name)}${suffix}, ${value});`)
    .join("\n");
}

/** What a C compiler makes of the header. */
async function compile(text: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "runts-body-" });
  try {
    await Deno.writeTextFile(`${folder}/body.c`, text);
    const include = new URL("../../../c/include", import.meta.url).pathname;
    await gcc("-std=gnu11", `-I${include}`, "-c", "-o", `${folder}/body.o`, `${folder}/body.c`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("numbers and layouts are those of C", async () => {
  await compile(`
#include <stddef.h>
#include "body.h"
#define SAME(a, b) _Static_assert((a) == (b), #a)
SAME(BODY_PLACE_PRESERVED, ${body.PLACE_PRESERVED});
SAME(BODY_SPAWN_TRACE, ${body.SPAWN_TRACE});
SAME(BODY_SPAWN_EARLY, ${body.SPAWN_EARLY});
SAME(BODY_SPAWN_NAMESPACES, ${body.SPAWN_NAMESPACES});
SAME(BODY_CORE, 1);
SAME(BODY_OOM, 2);
SAME(BODY_UNEXECUTED, 4);
SAME(BODY_FIFO_READ, ${body.FIFO_READ});
${same("BODY_", body.Operation)}
${same("BODY_", body.BodyMax, "_MAX")}
${same("BODY_STDIO_", body.BodyStdio)}
${same("BODY_LOG_", body.LogDriver)}
${same("BODY_ATTACH_", body.AttachFlag)}
${same("BODY_STREAM_", body.BodyStream)}
${same("BODY_FORWARD_", body.ForwardFlag)}
${same("BODY_GREETING_", body.GreetingKind)}
${same("BODY_STARTING_", body.StartingKind)}
SAME(sizeof(struct body_header), 8);
SAME(sizeof(struct body_reply), 16);
SAME(sizeof(struct body_hello), 40);
SAME(sizeof(struct body_spawn), 24);
SAME(sizeof(struct body_ending), 16);
SAME(sizeof(struct body_watch), 24);
SAME(offsetof(struct body_watch, max_size), 8);
SAME(sizeof(struct body_ended), 32);
SAME(offsetof(struct body_ended, ending), 16);
SAME(sizeof(struct body_status), 32);
SAME(sizeof(struct body_frame), 16);
SAME(sizeof(struct body_answer), 8);
SAME(sizeof(struct body_greeting), 8);
SAME(sizeof(struct body_starting), 4);
SAME(sizeof(struct body_command), 8);
`);
});

Deno.test("every operation of C is there", async () => {
  const header = await Deno.readTextFile(
    new URL("../../../c/include/body.h", import.meta.url),
  );
  const list = /enum body_operation \{([^}]*)\}/.exec(header)![1]!;
  const names = [...list.matchAll(/BODY_(\w+) =/g)].map((match) => match[1]!);
  assertEquals(Object.keys(body.Operation).map(asC), names);
});

Deno.test("a request has its header, fields and texts", () => {
  const { operation, fields, texts } = { operation: 5, fields: [-1, 2n], texts: ["a", "é"] };
  assertEquals([...body.encodeRequest(operation, 7, fields, texts)], [
    ...[5, 0, 0, 0, 7, 0, 0, 0],
    ...[255, 255, 255, 255, 2, 0, 0, 0, 0, 0, 0, 0],
    ...[0x61, 0, 0xc3, 0xa9, 0],
  ]);
});

Deno.test("a command is a directory, a path, arguments and variables", () => {
  const command = { path: "/bin/x", args: ["x", "-v"], env: ["A=1"], directory: "/" };
  const bytes = body.encodeCommand(command);
  assertEquals([...bytes.subarray(0, 8)], [2, 0, 0, 0, 1, 0, 0, 0]);
  assertEquals(new TextDecoder().decode(bytes.subarray(8)), "/\0/bin/x\0x\0-v\0A=1\0");
});

Deno.test("what is too short is no reply", () => {
  assertEquals(body.decodeReply(new Uint8Array(15)), undefined);
});
