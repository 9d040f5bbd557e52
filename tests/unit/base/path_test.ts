import { assertEquals } from "@std/assert";
import { isWithin } from "../../../lib/base/paths.ts";

Deno.test("isWithin: the directory itself and what is in it, by whole names", () => {
  const inA = ["/a", "/a/b", "/a/b/c"];
  const others = ["/", "/ab", "/b", "/b/a"];
  assertEquals([...inA, ...others].filter((path) => isWithin(path, "/a")), inA);
  assertEquals([...inA, ...others].filter((path) => isWithin(path, "/")), [...inA, ...others]);
});
