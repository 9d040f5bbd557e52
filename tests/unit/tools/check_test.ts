/** The rules of tools/check, on trees that break them. */

import { assertEquals } from "@std/assert";
import { checkPages } from "../../../tools/check/docs.ts";
import { unusedExports } from "../../../tools/check/exports.ts";
import { FILE_RULES } from "../../../tools/check/files.ts";
import { checkProcessWide } from "../../../tools/check/process_wide.ts";
import { checkRooms } from "../../../tools/check/rooms.ts";

const sourcesOf = (files: Record<string, string>) =>
  Object.entries(files).map(([path, text]) => ({ path, text, lines: text.split("\n") }));

const ROOMS = { "lib/base": [], "ffi": ["lib/base"], "lib/plan": ["lib/base"] };

Deno.test("an import that the table of rooms does not have is refused, in a type and later too", () => {
  const sources = sourcesOf({
    "lib/base/errors.ts": "export const a = 1;",
    "ffi/call.ts": 'import { a } from "../lib/base/errors.ts";',
    "lib/plan/one.ts":
      'import { a } from "../base/errors.ts";\nimport type { F } from "../../ffi/call.ts";',
    "lib/plan/two.ts": 'export const b = () => import("../../ffi/call.ts");',
    "lib/plan/three.ts": '// import { x } from "../../ffi/call.ts";\nimport "./one.ts";',
    "lib/other/four.ts": 'export { a } from "../base/errors.ts";',
    "tests/unit/plan/one_test.ts": 'import "../../../ffi/call.ts";',
  });
  assertEquals(checkRooms(sources, ROOMS), [
    "lib/plan/one.ts: imports ffi/call.ts, but lib/plan may import from lib/base only",
    "lib/plan/two.ts: imports ffi/call.ts, but lib/plan may import from lib/base only",
    "lib/other/four.ts: imports lib/base/errors.ts, but lib/other may import from no other room",
  ]);
});

Deno.test("an entry of the table of rooms that nothing uses is an error", () => {
  const sources = sourcesOf({ "ffi/call.ts": 'import "../lib/base/errors.ts";' });
  assertEquals(checkRooms(sources, ROOMS), [
    "tools/check/rooms.ts: lib/plan may import from lib/base, and does not",
  ]);
});

Deno.test("exports that nobody outside of their file uses are found", () => {
  const sources = sourcesOf({
    "mod.ts": 'export { open } from "./lib/a.ts";\nexport type * from "./lib/types.ts";',
    "lib/a.ts": [
      "export function open() { return close(); }",
      "export function close() {}",
      "export interface Alone {}",
      "export const later = 1;",
      "export const listed = 2;",
    ].join("\n"),
    "lib/types.ts": 'export interface Public {}\nexport type * from "./more.ts";',
    "lib/more.ts": "export interface Further {}",
    "lib/b.ts": [
      'const { later } = await import("./a.ts");',
      'import { type Alone as Other, listed } from "./a.ts"; // close',
      "const own = () => 1;",
      "export const inner = own();",
      "export const fake = inner;",
      "export const aid = 5;",
    ].join("\n"),
    "tests/unit/b_test.ts": 'import { aid, fake, inner } from "../../lib/b.ts";',
    "tests/support/c.ts": "export const used = 1;\nexport const idle = 2;",
    "tests/unit/c_test.ts": 'import { used } from "../support/c.ts";',
  });
  assertEquals(unusedExports(sources), [
    "lib/a.ts: nobody else uses the export close",
    "lib/b.ts: only tests use fake",
    "lib/b.ts: only tests use aid",
    "tests/support/c.ts: nobody else uses the export idle",
  ]);
});

Deno.test("helpers among the tests, long files, marks and bare imports are refused", () => {
  const mark = ["TO", "DO"].join("");
  const sources = sourcesOf({
    "tests/unit/plan/support.ts": "",
    "tests/unit/plan/one_test.ts": "",
    "lib/base/long.ts": "\n".repeat(400),
    "lib/base/mark.ts": `// ${mark}: more`,
    "lib/base/node.ts": 'import fs from "node:fs";',
  });
  assertEquals(FILE_RULES.flatMap((rule) => sources.flatMap(rule)), [
    "lib/base/long.ts: 401 lines, at most 400",
    `lib/base/mark.ts:1: // ${mark}: more`,
    'lib/base/node.ts: import of "node:fs" is not relative',
    "tests/unit/plan/support.ts: is no test; what tests share is in tests/support",
  ]);
});

Deno.test("what a process has one of is found below the command line, and nowhere else", () => {
  const sources = sourcesOf({
    "lib/plan/a.ts": 'const here = Deno.cwd();\n// Deno.pid\nconst path = "/proc/self/ns";',
    "lib/base/b.ts": "let known: string | undefined;\nconst cache = new Map<string, number>();",
    "lib/base/c.ts": "export function f() {\n  let x = 1;\n  const all = new Map();\n}",
    "ffi/d.ts": 'const fd = "/proc/self/fd/1";',
    "lib/cli/e.ts": "const here = Deno.cwd();",
    "tests/f.ts": "const pid = Deno.pid;",
  });
  const allowed = { "ffi/d.ts": { "/proc/self": "a reason" }, "ffi/g.ts": { "Deno.uid": "none" } };
  assertEquals(checkProcessWide(sources, allowed), [
    "lib/plan/a.ts: asks Deno.cwd: that is its runtime's to tell",
    "lib/plan/a.ts: asks /proc/self: that is its runtime's to tell",
    "lib/base/b.ts: keeps known for the whole process: that is its runtime's to tell",
    "lib/base/b.ts: keeps cache for the whole process: that is its runtime's to tell",
    "tools/check/process_wide.ts: ffi/g.ts may use Deno.uid, and does not",
  ]);
});

Deno.test("files and tasks that a page names are there, and the table of tasks has all", async () => {
  const pages = [
    { path: "README.md", text: "`lib/a.ts`, `b.ts`, `lib/commands/VERB.ts`; deno task NAME" },
    { path: "ci.yml", text: "deno task go\ndeno@2.0.0 task go:far\ndeno run -A tools/c.ts x" },
    { path: "docs/development.md", text: "| `go`, `go:all` | goes |\n| `rest` | rests |" },
  ];
  const isThere = (path: string) => Promise.resolve(path === "tests/integration/b.ts");
  assertEquals(await checkPages(pages, ["go", "go:all", "rest", "new-one"], isThere), [
    "README.md: there is no lib/a.ts",
    "ci.yml: there is no tools/c.ts",
    "ci.yml: there is no task go:far",
    "docs/development.md: does not list the task new-one",
  ]);
});
