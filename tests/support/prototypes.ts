/** Tables of the helper library's functions against the headers of c/helper. */

import { assertEquals } from "@std/assert";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));

/**
 * Each function of a table has its prototype before it, as the header states it.
 *
 * @param names of the functions
 * @param header below c/helper
 * @param table the file of ffi; a prototype may go on on further lines, by three blanks
 */
export function assertPrototypes(names: Iterable<string>, header: string, table: string): void {
  const stated = read(`c/helper/${header}`).replace(/\s+/g, " ");
  const noted = read(`ffi/${table}`).replace(/\n *\/\/ {3}/g, " ");
  for (const name of names) {
    const prototype = new RegExp(`// (.*${name}\\(.*;)`).exec(noted)?.[1] ?? "";
    assertEquals(stated.includes(prototype) && prototype !== "", true, name);
  }
}
