/** The signatures in ffi/monitor.ts against c/helper/monitor.h. */

import { assertEquals } from "@std/assert";
import { MONITOR_SYMBOLS } from "../../../ffi/monitor.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));

Deno.test("every prototype is that of the header", () => {
  const header = read("c/helper/monitor.h").replace(/\s+/g, " ");
  const table = read("ffi/monitor.ts");
  for (const name of Object.keys(MONITOR_SYMBOLS)) {
    const prototype = new RegExp(`// (.*${name}\\(.*;)`).exec(table)?.[1] ?? "";
    assertEquals(header.includes(prototype) && prototype !== "", true, name);
  }
});
