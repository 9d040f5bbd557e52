import { assertEquals } from "@std/assert";
import {
  countResults,
  failures,
  hostTable,
  parseReport,
  type Result,
  unrun,
} from "../../../tools/test/junit.ts";
import { countTap } from "../../../tools/test/c.ts";
import { divide } from "../../../tools/test/vm.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="3" failures="1" errors="0" time="0.012">
    <testsuite name="./tests/a_test.ts" tests="3" disabled="1" errors="0" failures="1">
        <testcase name="a &lt;b&gt;" classname="./tests/a_test.ts" time="0.0" line="1" col="6">
            <skipped/>
        </testcase>
        <testcase name="fails" classname="./tests/a_test.ts" time="0.001" line="2" col="6">
            <failure message="Error: &lt;skipped/&gt;
of two lines">Error</failure>
        </testcase>
        <testcase name="y" classname="./tests/a_test.ts" time="0.001" line="3" col="6">
        </testcase>
    </testsuite>
</testsuites>
`;

Deno.test("parseReport tells how each test ended, and a crash as a failure", () => {
  const common = { host: "here", file: "tests/b_test.ts" };
  const results: Result[] = [
    { ...common, name: "a <b>", outcome: "ignored" },
    { ...common, name: "fails", outcome: "failed", message: "Error: <skipped/>" },
    { ...common, name: "y", outcome: "passed" },
  ];
  assertEquals(parseReport(REPORT, { ...common, success: false }), results);
  assertEquals(failures(results), ["tests/b_test.ts: fails (here): Error: <skipped/>"]);
  assertEquals(parseReport("", { ...common, success: true }), []);
  assertEquals(parseReport("", { ...common, success: false }), [
    { ...common, name: "ends well", outcome: "failed" },
  ]);
});

Deno.test("skipped is what no host ran", () => {
  const result = (host: string, name: string, outcome: Result["outcome"]): Result => ({
    ...{ host, file: "a_test.ts", name, outcome },
  });
  const here = [
    result("here", "v1", "passed"),
    result("here", "v2", "ignored"),
    result("here", "v3", "ignored"),
  ];
  const there = [
    result("there", "v1", "ignored"),
    result("there", "v2", "failed"),
    result("there", "v3", "ignored"),
  ];
  assertEquals(countResults(here), { passed: 1, failed: 0, skipped: 2 });
  assertEquals(countResults([...here, ...there]), { passed: 1, failed: 1, skipped: 1 });
  assertEquals(unrun([...here, ...there]), ["a_test.ts: v3"]);
  assertEquals(
    hostTable([...here, ...there]).split("\n"),
    ["host     ran  ignored", "here       1        2", "there      1        2"],
  );
});

Deno.test("countTap counts results, and a crash as a failure", () => {
  const text = "ok 1 - one\nnot ok 2 - two\nok 3 - three # SKIP no kernel\n1..3\n";
  assertEquals(countTap(text, false), { passed: 1, failed: 1, skipped: 1 });
  assertEquals(countTap("ok 1 - one\n", false), { passed: 1, failed: 1, skipped: 0 });
  assertEquals(countTap("", true), { passed: 1, failed: 0, skipped: 0 });
  assertEquals(countTap("", false), { passed: 0, failed: 1, skipped: 0 });
});

Deno.test("machines of one host get its files in turn, and none gets nothing", () => {
  const host = { name: "vm", level: "vm" as const, options: [], files: [] };
  const dealt = (machines: number | undefined, ...files: string[]) =>
    divide({ ...host, machines }, files).map(({ name, files }) => [name, ...files]);
  assertEquals(dealt(undefined, "a", "b"), [["vm", "a", "b"]]);
  assertEquals(dealt(2, "a", "b", "c"), [["vm, 1 of 2", "a", "c"], ["vm, 2 of 2", "b"]]);
  assertEquals(dealt(2, "a"), [["vm", "a"]]);
});
