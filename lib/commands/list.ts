import { table } from "../cli/table.ts";
import { defineCommand } from "../cli/types.ts";
import { list } from "../container/list.ts";
import { FORMAT } from "./shared.ts";

export const command = defineCommand({
  name: "list",
  group: "inspect",
  summary: "list the containers below the root",
  arguments: {},
  options: {
    format: FORMAT,
    quiet: { short: "q", description: "print the ids alone" },
  },
  examples: [
    { text: "as a table", command: "runts list" },
    { text: "for a program", command: "runts list --format json" },
  ],
  // deno-lint-ignore require-await
  async run({ runtime, options, print }) {
    const entries = list(runtime);
    if (options.quiet) return print(entries.map(({ id }) => `${id}\n`).join(""));
    if (options.format === "json") return print(`${JSON.stringify(entries)}\n`);
    print(table(
      ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"],
      entries.map((one) => [one.id, one.pid, one.status, one.bundle, one.created, one.owner]),
    ));
    for (const { id, error } of entries) {
      if (error !== undefined) runtime.warn(`list: ${JSON.stringify(id)}: ${error}`);
    }
  },
});
