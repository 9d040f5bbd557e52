/** Paths that a caller names. */

import { assertEquals, assertThrows } from "@std/assert";
import { absolute, fromWorkingDirectory } from "../../../lib/base/absolute.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { ProcessCaller } from "../../../lib/runtime/process_caller.ts";

const CALLER = new ProcessCaller();

Deno.test("absolute goes up from where a link leads to", () => {
  const directory = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "runts-absolute-" }));
  try {
    Deno.mkdirSync(`${directory}/deep/target`, { recursive: true });
    Deno.symlinkSync("deep/target", `${directory}/link`);
    const cases: [string, string][] = [
      [`${directory}/link/../other`, `${directory}/deep/other`],
      [`${directory}/link/..`, `${directory}/deep`],
      [`${directory}/link/.././x/./y/`, `${directory}/deep/x/y`],
      [`${directory}/link/x`, `${directory}/link/x`],
      [`${directory}//deep/../link/`, `${directory}/link`],
      [`${directory}/none/../x`, `${directory}/x`],
      [`${directory}/..x/y..`, `${directory}/..x/y..`],
      ["/", "/"],
      ["/..", "/"],
      ["/../x", "/x"],
    ];
    for (const [path, expected] of cases) assertEquals(absolute(CALLER, path), expected, path);
    assertEquals(absolute(CALLER, "x/y"), `${Deno.cwd()}/x/y`);
    assertEquals(absolute(CALLER, "."), Deno.cwd());
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("a relative path cannot be resolved in a directory that is gone", () => {
  const before = Deno.cwd();
  const directory = Deno.makeTempDirSync({ prefix: "runts-absolute-" });
  Deno.chdir(directory);
  try {
    Deno.removeSync(directory);
    assertEquals(fromWorkingDirectory(CALLER, "/x"), "/x");
    const error = assertThrows(() => absolute(CALLER, "x"), RuntsError);
    assertEquals(
      error.message,
      "find the working directory: ENOENT (no such file or directory): it may be gone",
    );
  } finally {
    Deno.chdir(before);
  }
});
