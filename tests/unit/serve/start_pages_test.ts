import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { dropPages, MEMORY_SYMBOLS } from "../../../ffi/memory.ts";
import { dropStartPages, parseMappings } from "../../../lib/serve/start_pages.ts";
import { assertPrototypes } from "../../support/prototypes.ts";
import { memoryOf } from "../../support/usage.ts";

await loadHelper();

Deno.test("every prototype is that of the header", () => {
  assertPrototypes(Object.keys(MEMORY_SYMBOLS), "memory.h", "memory.ts");
});

Deno.test("a mapping is told with what is not as its file has it", () => {
  const text = `7f00-7fff r--p 00000000 fe:00 12                         /a path/x
Size:               8192 kB
Private_Dirty:         4 kB
Shared_Dirty:          2 kB
Anonymous:             4 kB
VmFlags: rd mr
8000-9000 rw-p 00000000 00:00 0
Size:                  4 kB
Anonymous:             0 kB
`;
  assertEquals(parseMappings(text), [
    { start: 0x7f00n, end: 0x7fffn, permissions: "r--p", path: "/a path/x", changed: 10 },
    { start: 0x8000n, end: 0x9000n, permissions: "rw-p", path: "", changed: 0 },
  ]);
  assertEquals(parseMappings(""), []);
  const own = parseMappings(Deno.readTextFileSync("/proc/self/smaps"));
  assert(own.some(({ path }) => path === Deno.execPath()));
});

Deno.test("what is dropped comes back when it is wanted", () => {
  const before = memoryOf(Deno.pid).resident;
  dropStartPages("/proc/self");
  assert(memoryOf(Deno.pid).resident < before);
  // V8 goes on to find its builtins and constants.
  assertEquals(JSON.parse('{"a":[1,"b"]}'), { a: [1, "b"] });
});

Deno.test("what is no memory cannot be dropped", () => {
  assertThrows(() => dropPages(1n, 4096n), Error, "drop pages of memory");
});
