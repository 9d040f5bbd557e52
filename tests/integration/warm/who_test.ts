/** Who is served by a warm brain, and whom a front believes. */

import { assertEquals } from "@std/assert";
import { tell } from "../../support/cold.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";
import { WarmBrain } from "../../support/warm.ts";
import { askAs } from "../../support/warm_client.ts";

const WARM = { code: 0, stdout: "", stderr: "", cold: false };

/** What is heard of a list of nothing: its text, and the exit code. */
const SERVED = ["accept", "request 23", "end 0"];

Deno.test({
  ...RUNTS_ONLY,
  name: "before Linux 6.5, too, commands are carried out for whoever has connected alone",
  fn: async () => {
    await using brain = await WarmBrain.startAsBefore();
    const line = ["--root", `${brain.directory}/none`, "list", "--quiet"];
    assertEquals(await tell(line, brain.words), WARM);
    assertEquals(await askAs(brain.directory, "own"), SERVED);
    for (const going of ["guess", "other", "child"] as const) {
      assertEquals({ going, said: await askAs(brain.directory, going) }, {
        going,
        said: ["accept", "eof"],
      });
    }
    assertEquals(await tell(line, brain.words), WARM);
    brain.kill("SIGTERM");
    assertEquals(await brain.end(), { code: 0, stderr: "" });
  },
});
