/** The tutorial does what it says, block by block. */

import { assert, assertEquals } from "@std/assert";
import { runtimeTest } from "../../support/host.ts";
import { isAsSaid, stepsOf } from "../../support/page.ts";
import { command, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";

Deno.test("what differs is passed over", () => {
  assert(isAsSaid("a…c (x)\n", "abbbc (x)\n"));
  assert(isAsSaid("…response:200\n", "one\ntwo response:200\n"));
  assert(!isAsSaid("a…c\n", "abbb\n"));
});

runtimeTest("the tutorial", RUNTS_ONLY, async (runtime) => {
  const steps = stepsOf("docs/tutorial.md");
  assert(steps.length > 10);
  const directory = Deno.makeTempDirSync({ prefix: "runts-tutorial-" });
  // Ids that other tests do not use.
  const id = runtime.id();
  const begin = `runts() { ${RUNTIME} --root ${runtime.root} "$@"; }\nexec 2>&1\n`;
  try {
    for (const { script, prints } of steps) {
      const own = script.replaceAll(
        /(?<= |=)web(?=$| wget| cat| KILL| \|)/gm,
        (word, place: number) => script.slice(0, place).endsWith("--bundle ") ? word : id,
      );
      const { code, stdout, stderr } = await command(["bash", "-euc", begin + own], {
        cwd: directory,
      });
      assertEquals({ code, stderr }, { code: 0, stderr: "" }, script);
      const said = (prints ?? "").replaceAll(/(?<=^|exec )web/gm, id);
      assert(isAsSaid(said, stdout), `${script}\nprints\n${stdout}\ninstead of\n${said}`);
    }
  } finally {
    await runtime.run(["delete", "--force", id]);
    Deno.removeSync(directory, { recursive: true });
  }
});
