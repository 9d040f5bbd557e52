/** The signatures in ffi/nodes.ts against c/helper/node.h, and paths that lead nowhere. */

import { assertEquals, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { makeNode, NODE_SYMBOLS, removeNode } from "../../../ffi/nodes.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));
const NULL = { mode: 0o20666, device: 0x103 };

Deno.test("every prototype is that of the header", () => {
  const header = read("c/helper/node.h").replace(/\s+/g, " ");
  const table = read("ffi/nodes.ts");
  for (const name of Object.keys(NODE_SYMBOLS)) {
    const prototype = new RegExp(`// (.*${name}\\(.*;)`).exec(table)?.[1] ?? "";
    assertEquals(header.includes(prototype) && prototype !== "", true, name);
  }
});

Deno.test("links are followed within the root alone", async () => {
  await loadHelper();
  const base = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${base}/root`);
    Deno.mkdirSync(`${base}/outside`);
    Deno.symlinkSync(`${base}/outside`, `${base}/root/absolute`);
    Deno.symlinkSync("../outside", `${base}/root/relative`);
    for (const link of ["absolute", "relative"]) {
      assertThrows(() => makeNode(`${base}/root`, `/${link}/null`, NULL), RuntsError);
    }
    assertEquals([...Deno.readDirSync(`${base}/outside`)], []);
    for (const path of ["", "/", "/a/..", "/."]) {
      const fails = () => makeNode(`${base}/root`, path, NULL);
      assertThrows(fails, RuntsError, "EINVAL (invalid argument)");
    }
    assertThrows(
      () => removeNode(`${base}/root`, "/absolute", NULL),
      RuntsError,
      'remove device "/absolute" in the container: ENODEV (no such device)',
    );
  } finally {
    Deno.removeSync(base, { recursive: true });
  }
});
