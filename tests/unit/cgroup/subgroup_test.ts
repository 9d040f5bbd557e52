import { assertEquals, assertThrows } from "@std/assert";
import { checkRecordedSubgroup, subgroupOf } from "../../../lib/cgroup/subgroup.ts";
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
