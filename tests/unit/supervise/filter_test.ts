/** Filters and labels. */

import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { parseFilters, parseLabels } from "../../../lib/supervise/filter.ts";

const ENTRIES = [
  { id: "web", status: "running", labels: { app: "shop", tier: "front" } },
  { id: "db", status: "stopped", exitCode: 5, labels: { app: "shop", note: "a=b" } },
  { id: "web-old", status: "stopped", exitCode: 0 },
];

const WHAT = 'option "--filter"';

function passing(...filters: string[]): string[] {
  return ENTRIES.filter(parseFilters(WHAT, filters)).map(({ id }) => id);
}

Deno.test("without filters everything passes", () => {
  assertEquals(passing(), ["web", "db", "web-old"]);
});

Deno.test("filters look at labels, states, exit codes and names", () => {
  assertEquals(passing("label=app"), ["web", "db"]);
  assertEquals(passing("label=app=shop"), ["web", "db"]);
  assertEquals(passing("label=app="), []);
  assertEquals(passing("label=note=a=b"), ["db"]);
  assertEquals(passing("label=toString"), []);
  assertEquals(passing("status=running"), ["web"]);
  assertEquals(passing("exited=0"), ["web-old"]);
  assertEquals(passing("name=web"), ["web", "web-old"]);
});

Deno.test("one of a kind must fit, of labels each", () => {
  assertEquals(passing("exited=0", "exited=5"), ["db", "web-old"]);
  assertEquals(passing("label=app", "label=tier"), ["web"]);
  assertEquals(passing("name=web", "status=stopped"), ["web-old"]);
});

Deno.test("what is no filter is refused", () => {
  const hint = 'as "label=KEY", "label=KEY=VALUE", "status=running", "exited=5" or "name=web"';
  for (
    const [filter, end] of [
      ["label", hint],
      ["lable=app", 'did you mean "label"?'],
      ["colour=red", hint],
      ["name=", hint],
    ] as const
  ) {
    const message = `${WHAT}: "${filter}" is not a filter: ${end}`;
    assertThrows(() => parseFilters(WHAT, [filter]), RuntsError, message);
  }
  const values = [
    ["exited=five", '"five" is not an exit code'],
    ["exited=256", '"256" is not an exit code'],
    ["status=runing", '"runing" is not a status: did you mean "running"?'],
    [
      "status=7",
      '"7" is not a status: as creating, created, running, paused, stopped, unknown',
    ],
  ] as const;
  for (const [filter, message] of values) {
    assertThrows(() => parseFilters(WHAT, [filter]), RuntsError, `${WHAT}: ${message}`);
  }
});

Deno.test("labels are keys with values", () => {
  const labels = parseLabels("option", ["a=1", "b", "a=2=3", "c="]);
  assertEquals(labels, { a: "2=3", b: "", c: "" });
  assertThrows(() => parseLabels("option", ["=1"]), RuntsError, 'option: "=1" has no key');
});
