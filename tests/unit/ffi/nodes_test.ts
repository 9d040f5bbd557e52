/** The signatures in ffi/nodes.ts against c/helper/node.h, and paths that lead nowhere. */

import { assertEquals, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { makeNode, NODE_SYMBOLS, removeNode } from "../../../ffi/nodes.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { assertPrototypes } from "../../support/prototypes.ts";

const NULL = { mode: 0o20666, device: 0x103 };

Deno.test("every prototype is that of the header", () => {
  assertPrototypes(Object.keys(NODE_SYMBOLS), "node.h", "nodes.ts");
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
