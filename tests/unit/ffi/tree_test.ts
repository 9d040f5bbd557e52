/** The signatures and the report in ffi/tree.ts against c/helper/tree.h, and what failures say. */

import { assertEquals, assertRejects } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { TREE_SYMBOLS, treeCalls, TreeReport } from "../../../ffi/tree.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { gcc } from "../../support/stand_in.ts";
import { assertPrototypes } from "../../support/prototypes.ts";

const C = new URL("../../../c/", import.meta.url).pathname;

/** A directory that is gone afterwards. */
async function inDirectory(body: (path: string) => Promise<void>): Promise<void> {
  const path = Deno.makeTempDirSync();
  try {
    await body(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

Deno.test("every prototype is that of the header", () => {
  assertPrototypes(Object.keys(TREE_SYMBOLS), "tree.h", "tree.ts");
});

Deno.test("the report is laid out as that of C", async () => {
  const { size, ...offsets } = TreeReport;
  const asserts = Object.entries(offsets).map(([name, offset]) =>
    `_Static_assert(offsetof(struct tree_report, ${name}) == ${offset}, "${name}");`
  );
  const program = `
#define _GNU_SOURCE 1
#include <stddef.h>
#include "tree.h"
${asserts.join("\n")}
_Static_assert(sizeof(struct tree_report) == ${size}, "size");
`;
  await inDirectory(async (path) => {
    Deno.writeTextFileSync(`${path}/test.c`, program);
    await gcc(`-I${C}helper`, "-fsyntax-only", `${path}/test.c`);
  });
});

Deno.test("a tree is copied and removed", async () => {
  const trees = treeCalls(await loadHelper());
  await inDirectory(async (path) => {
    Deno.mkdirSync(`${path}/a/b`, { recursive: true });
    Deno.writeTextFileSync(`${path}/a/b/file`, "text");
    await trees.copy(`${path}/a`, `${path}/c`);
    assertEquals(Deno.readTextFileSync(`${path}/c/b/file`), "text");
    await trees.remove(`${path}/a`);
    assertEquals(Array.from(Deno.readDirSync(path), ({ name }) => name), ["c"]);
  });
});

Deno.test("failures name the file and what was done with it", async () => {
  const trees = treeCalls(await loadHelper());
  await inDirectory(async (path) => {
    Deno.mkdirSync(`${path}/a`);
    const fails = (call: Promise<void>, text: string) =>
      assertRejects(() => call, RuntsError, text);
    const noFile = "ENOENT (no such file or directory)";
    await fails(trees.copy(`${path}/x`, `${path}/y`), `open "${path}/x": ${noFile}`);
    await fails(trees.copy(`${path}/a`, `${path}/y/z`), `make "${path}/y/z": ${noFile}`);
    await fails(
      trees.copy(`${path}/a`, `${path}/a/b`),
      `copy "${path}/a/b/b": ELOOP (too many levels of symbolic links)`,
    );
    await fails(trees.remove(`${path}/x`), `open "${path}/x": ${noFile}`);
  });
});

Deno.test("work that is not wanted any more ends with the signal's reason", async () => {
  const trees = treeCalls(await loadHelper());
  await inDirectory(async (path) => {
    for (let at = 0; at < 50; at++) Deno.mkdirSync(`${path}/a/${at}`, { recursive: true });
    const early = AbortSignal.abort("early");
    assertEquals(await trees.copy(`${path}/a`, `${path}/b`, early).catch(String), "early");
    const controller = new AbortController();
    const copying = trees.copy(`${path}/a`, `${path}/b`, controller.signal).catch(String);
    controller.abort("meanwhile");
    // It may have been done before.
    assertEquals([undefined, "meanwhile"].includes(await copying as undefined), true);
  });
});
