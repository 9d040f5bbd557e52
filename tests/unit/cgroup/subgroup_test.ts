import { assertEquals, assertThrows } from "@std/assert";
import { checkRecordedSubgroup, delegatedOf, subgroupOf } from "../../../lib/cgroup/subgroup.ts";
import { quote, RuntsError } from "../../../lib/base/errors.ts";

const ANNOTATION = "run.oci.systemd.subgroup";

Deno.test("subgroupOf takes the name of the annotation", () => {
  assertEquals(subgroupOf(undefined), undefined);
  assertEquals(subgroupOf({}), undefined);
  assertEquals(subgroupOf({ [ANNOTATION]: "" }), undefined);
  for (const name of ["container", "a-b_c", "ä", "...", "Name.service", "x".repeat(255)]) {
    assertEquals(subgroupOf({ [ANNOTATION]: name }), name);
  }
});

Deno.test("checkRecordedSubgroup refuses what leads out of the scope", () => {
  checkRecordedSubgroup(undefined);
  checkRecordedSubgroup("inner");
  const error = assertThrows(() => checkRecordedSubgroup("../../x"), RuntsError);
  assertEquals(error.message, 'use recorded cgroup "../../x": it is no plain name');
});

Deno.test("subgroupOf refuses what is no name of a cgroup", () => {
  const cases: [name: string, cause: string][] = [
    [".", "it is no plain name"],
    ["..", "it is no plain name"],
    ["/", "it is no plain name"],
    ["../a", "it is no plain name"],
    ["a/b", "it is no plain name"],
    ["ä".repeat(128), "it is longer than 255 bytes"],
  ];
  for (const [name, cause] of cases) {
    const error = assertThrows(() => subgroupOf({ [ANNOTATION]: name }), RuntsError);
    assertEquals(
      error.message,
      `annotations["${ANNOTATION}"]: use cgroup ${quote(name)}: ${cause}`,
    );
  }
});

Deno.test("a delegated cgroup lies in another, which is called container unless it has a name", () => {
  const delegated = "run.oci.delegate-cgroup";
  const both = (annotations: Record<string, string>) => [
    subgroupOf(annotations),
    delegatedOf(annotations),
  ];
  assertEquals(both({ [delegated]: "own" }), ["container", "own"]);
  assertEquals(both({ [delegated]: "own", [ANNOTATION]: "inner" }), ["inner", "own"]);
  assertEquals(both({ [delegated]: "own", [ANNOTATION]: "" }), [undefined, undefined]);
  assertEquals(both({ [delegated]: "", [ANNOTATION]: "inner" }), ["inner", undefined]);
  const error = assertThrows(() => delegatedOf({ [delegated]: "a/b" }), RuntsError);
  const path = `annotations["${delegated}"]`;
  assertEquals(error.message, `${path}: use cgroup "a/b": it is no plain name`);
});
