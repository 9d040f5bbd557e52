/** The fewest changes from one list to another, and from one document to another. */

import { assertEquals } from "@std/assert";
import { changesOf } from "../../../lib/base/difference.ts";
import { configChanges } from "../../../lib/spec/difference.ts";

function changes(before: string, after: string): string {
  const found = changesOf([...before], [...after], (letter) => letter);
  return found.map(({ change, item }) => (change === "added" ? "+" : "-") + item).join("");
}

Deno.test("lists", () => {
  assertEquals(changes("", ""), "");
  assertEquals(changes("abc", "abc"), "");
  assertEquals(changes("abc", "abxc"), "+x");
  assertEquals(changes("abc", "ac"), "-b");
  assertEquals(changes("abc", "xyz"), "-a-b-c+x+y+z");
  assertEquals(changes("abcd", "bcda"), "-a+a");
  assertEquals(changes("ab", ""), "-a-b");
});

Deno.test("documents", () => {
  const cases: [before: unknown, after: unknown, changes: unknown][] = [
    [{ a: 1 }, { a: 1 }, []],
    [{ a: 1, b: { c: [1, 2] } }, { a: 2, b: { c: [1, 3] } }, [
      { path: "a", before: "1", after: "2" },
      { path: "b.c[1]", before: "2", after: "3" },
    ]],
    [{ a: [{ x: 1 }, { x: 2 }] }, { a: [{ x: 0 }, { x: 1 }, { x: 2 }] }, [
      { path: "a[0]", after: '{"x":0}' },
    ]],
    [{ a: [{ x: 1, y: 1 }] }, { a: [{ x: 2, y: 1 }] }, [{
      path: "a[0].x",
      before: "1",
      after: "2",
    }]],
    [{ a: 1 }, {}, [{ path: "a", before: "1" }]],
    [{ a: [1] }, { a: { b: 1 } }, [{ path: "a", before: "[1]", after: '{"b":1}' }]],
    [{ a: 2n ** 63n }, { a: 2n ** 64n }, [
      { path: "a", before: "9223372036854775808", after: "18446744073709551616" },
    ]],
    [{ toString: 1 }, {}, [{ path: "toString", before: "1" }]],
  ];
  for (const [before, after, expected] of cases) {
    assertEquals(configChanges(before, after), expected as never);
  }
});
