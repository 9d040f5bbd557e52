/** The table of docs/cgroups.md against the code. */

import { assertEquals } from "@std/assert";
import { settingsV1 } from "../../../lib/cgroup/v1/resources.ts";
import { settingsV2 } from "../../../lib/cgroup/v2/resources.ts";
import type { Setting } from "../../../lib/cgroup/settings.ts";
import type { Resources } from "../../../lib/spec/types/config.ts";
import { PROJECT } from "../../support/runtime.ts";

/** A cell: files with what is written to them, or the error. */
function cell(make: () => Setting[]): string {
  try {
    return make().map(({ forms, optional }) => {
      const text = forms.map(({ file, value }) => `\`${file}\` ${value}`).join(", else ");
      return optional ? `${text}, if there` : text;
    }).join("; ") || "nothing";
  } catch (error) {
    return `error: ${(error as Error).message.split("cannot be set: ")[1]}`;
  }
}

/** The row for an example of linux.resources. */
function row(example: string): string {
  const resources: Resources = JSON.parse(example);
  const v1 = cell(() => settingsV1(resources, ""));
  const v2 = cell(() => settingsV2(resources, "", () => undefined));
  return `| \`${example}\` | ${v1} | ${v2} |`;
}

Deno.test("docs/cgroups.md tells what is written for each limit", async () => {
  const text = await Deno.readTextFile(`${PROJECT}/docs/cgroups.md`);
  const rows = text.split("\n").filter((line) => line.startsWith("| `{"));
  const examples = rows.map((line) => /^\| `([^`]*)`/.exec(line)?.[1] ?? "");
  assertEquals(examples.length > 20, true, `${examples.length} rows`);
  assertEquals(rows, examples.map(row));
});
