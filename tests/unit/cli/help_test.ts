import { assert, assertEquals, assertMatch } from "@std/assert";
import { GLOBAL_OPTIONS } from "../../../lib/cli/globals.ts";
import { commandHelp, overview, usageLine, withVerbs } from "../../../lib/cli/help.ts";
import { verbs } from "../../../lib/commands/load.ts";
import { manPage } from "../../../lib/cli/man.ts";
import { nearest } from "../../../lib/base/nearest.ts";
import { table } from "../../../lib/cli/table.ts";
import { defineCommand, longName } from "../../../lib/cli/types.ts";
import { ALL } from "../../../lib/commands/all.ts";

const sample = defineCommand({
  name: "sample",
  group: "live",
  summary: "show how help looks",
  description: [
    "A paragraph that is long enough to be broken into two lines at the width of help.",
  ],
  arguments: {
    id: { value: "CONTAINER", description: "the container" },
    words: { value: "WORD", description: "the words", optional: true, rest: "words" },
  },
  options: {
    bundle: { short: "b", value: "DIR", description: "the bundle" },
    env: { value: "NAME=VALUE", repeat: true, description: "a variable" },
    kind: { value: "KIND", choices: ["a", "b"], description: "the kind" },
    secret: { description: "not shown", hidden: true },
  },
  examples: [{ text: "try it", command: "runts sample web" }],
  run: () => Promise.resolve(),
});

Deno.test("commandHelp() shows usage, arguments, options and examples", () => {
  assertEquals(
    commandHelp(sample),
    `Usage: runts sample [OPTIONS] CONTAINER [WORD...]

Show how help looks.

A paragraph that is long enough to be broken into two lines at the width of
help.

Arguments:
  CONTAINER  the container
  [WORD...]  the words

Options:
  -b, --bundle DIR      the bundle
      --env NAME=VALUE  a variable; may be repeated
      --kind KIND       the kind: a, b

Examples:
  # try it
  runts sample web

Global options go before or after the command: see "runts help".
`,
  );
});

Deno.test("every command is declared, loadable and documented", async (t) => {
  assertEquals(ALL.map(({ name }) => name).sort(), verbs());
  for (const command of await withVerbs(ALL)) {
    await t.step(command.name, () => {
      assertMatch(command.summary, /^[a-z].*[^.]$/);
      for (const text of command.description ?? []) assertMatch(text, /^[A-Z].*\.$/);
      const tables = [...Object.values(command.options), ...Object.values(command.arguments)];
      for (const { description } of tables) assertMatch(description, /^\S.*[^.]$/);
      for (const { command: line } of command.examples ?? []) assert(line.includes("runts"));
      assert(commandHelp(command).split("\n").every((line) => line.length <= 80));
      assertLettersDiffer(Object.values(command.options).map(({ short }) => short));
    });
  }
});

function assertLettersDiffer(shorts: readonly (string | undefined)[]): void {
  const letters = shorts.flatMap((short) => [...short ?? ""]);
  assertEquals(new Set(letters).size, letters.length);
  // Letters that are global after the verb too.
  for (const letter of "h?") assert(!letters.includes(letter));
}

Deno.test("overview() lists every command and global option once", () => {
  const text = overview(ALL);
  for (const { name, summary } of ALL) {
    assertEquals(text.split("\n").filter((line) => line.startsWith(`  ${name} `)).length, 1, name);
    assert(text.replace(/\s+/g, " ").includes(summary), summary);
  }
  for (const [key, option] of Object.entries(GLOBAL_OPTIONS)) {
    assertEquals(text.includes(`--${longName(key)}`), !("hidden" in option), key);
  }
});

Deno.test("manPage() has a section for every command", () => {
  const page = manPage(ALL);
  assertMatch(page, /^\.TH RUNTS 1 /);
  for (const command of ALL) {
    assert(page.includes(`\n.SS ${command.name}\n`), command.name);
    assert(page.includes(usageLine(command).replaceAll("-", "\\-")), command.name);
  }
});

Deno.test("nearest() guesses what was meant, or nothing", () => {
  const names = ["start", "state", "exec", "list", "no-pivot"];
  assertEquals(nearest("strat", names), "start");
  assertEquals(nearest("exce", names), "exec");
  assertEquals(nearest("no-piv", names), "no-pivot");
  assertEquals(nearest("bogus", names), undefined);
  assertEquals(nearest("foo", ["root", "log"]), undefined);
  assertEquals(nearest("rot", ["root", "log"]), "root");
  assertEquals(nearest("lsit", names), "list");
  assertEquals(nearest("stop", names), undefined);
  assertEquals(nearest("x", ["v", "xy"]), undefined);
  assertEquals(nearest("", names), undefined);
});

Deno.test("table() aligns columns as runc does", () => {
  assertEquals(
    table(["ID", "PID", "OWNER"], [["a-long-container-id", 1, "root"], ["b", 23, ""]]),
    `ID                    PID         OWNER
a-long-container-id   1           root
b                     23          
`,
  );
});
