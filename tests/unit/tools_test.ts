import { assertEquals } from "@std/assert";
import { countReport } from "../../tools/test.ts";
import { countTap } from "../../tools/test_c.ts";

Deno.test("countReport sums up the suites of a report", () => {
  const suites = `<testsuites name="deno test" tests="8" failures="3" errors="0" time="0.1">
    <testsuite name="./a_test.ts" tests="8" disabled="2" errors="0" failures="3">
    <testsuite name="./b_test.ts" tests="4" disabled="0" errors="1" failures="0">`;
  assertEquals(countReport(suites), { passed: 6, failed: 4, skipped: 2 });
  assertEquals(countReport(""), { passed: 0, failed: 0, skipped: 0 });
});

Deno.test("countTap counts results, and a crash as a failure", () => {
  const text = "ok 1 - one\nnot ok 2 - two\nok 3 - three # SKIP no kernel\n1..3\n";
  assertEquals(countTap(text, false), { passed: 1, failed: 1, skipped: 1 });
  assertEquals(countTap("ok 1 - one\n", false), { passed: 1, failed: 1, skipped: 0 });
  assertEquals(countTap("", true), { passed: 1, failed: 0, skipped: 0 });
  assertEquals(countTap("", false), { passed: 0, failed: 1, skipped: 0 });
});
