/**
 * What people read, as a whole: a change of it is to be looked at. `deno test -A -u` writes what is new
 * into `__snapshots__`.
 */

import { commandHelp, overview, withVerbs } from "../../../lib/cli/help.ts";
import { manPage } from "../../../lib/cli/man.ts";
import { explanationText, PLAIN } from "../../../lib/cli/explain_view.ts";
import { ALL } from "../../../lib/commands/all.ts";
import { describeOp } from "../../../lib/plan/describe.ts";
import { planOf } from "../../support/plan.ts";

Deno.test("help", async (t) => {
  await t.assertSnapshot(overview(ALL).split("\n"), { name: "help" });
  for (const command of await withVerbs(ALL)) {
    const name = `help ${command.name}`;
    await t.assertSnapshot(commandHelp(command).split("\n"), { name });
  }
});

Deno.test("the manual page", async (t) => {
  await t.assertSnapshot(manPage(await withVerbs(ALL)).split("\n"));
});

Deno.test("the plan of the template", async (t) => {
  const { ops, rootfs, warnings } = planOf();
  const steps = ops.map((op, index) =>
    ({ stage: "container", from: op.from, text: describeOp(op), index, op }) as const
  );
  const text = explanationText({ bundle: "/bundle", rootfs, steps, warnings }, PLAIN);
  await t.assertSnapshot(text.split("\n"));
});
