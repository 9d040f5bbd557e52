import { table } from "../cli/table.ts";
import { defineCommand } from "../cli/types.ts";
import { listSupervised, type SupervisedEntry, type Supervision } from "../supervise/list.ts";
import { parseFilters } from "../supervise/filter.ts";
import { FORMAT } from "./shared.ts";

export const command = defineCommand({
  name: "list",
  group: "inspect",
  summary: "list the containers below the root",
  arguments: {},
  options: {
    format: FORMAT,
    quiet: { short: "q", description: "print the ids alone" },
    filter: {
      value: "FILTER",
      repeat: true,
      description: "those with label=KEY[=VALUE], status=STATUS, exited=CODE or name=PART alone",
    },
  },
  examples: [
    { text: "as a table", command: "runts list" },
    { text: "for a program", command: "runts list --format json" },
    { text: "those that failed", command: "runts list --filter label=app=shop --filter exited=1" },
  ],
  async run({ runtime, options, print }) {
    const passes = parseFilters('option "--filter"', options.filter ?? []);
    const all = await Array.fromAsync(listSupervised(runtime));
    const entries = all.filter((entry) => passes({ ...entry, ...entry.supervision }));
    if (options.quiet) return print(entries.map(({ id }) => `${id}\n`).join(""));
    if (options.format === "json") return print(`${JSON.stringify(entries)}\n`);
    const supervised = entries.some(({ supervision }) => supervision !== undefined);
    print(table(
      [
        "ID",
        "PID",
        "STATUS",
        ...supervised ? ["EXIT", "RESTARTS"] : [],
        "BUNDLE",
        "CREATED",
        "OWNER",
      ],
      entries.map((one) => [
        ...[one.id, one.pid, statusOf(one)],
        ...supervised ? [exitOf(one.supervision), one.supervision?.restarts ?? ""] : [],
        ...[one.bundle, one.created, one.owner],
      ]),
    ));
    for (const { id, error } of entries) {
      if (error !== undefined) runtime.warn(`list: ${JSON.stringify(id)}: ${error}`);
    }
  },
});

/** `running`; `running, no monitor`; `stopped, starts anew` */
function statusOf({ status, supervision }: SupervisedEntry): string {
  if (supervision?.monitor === "lost") return `${status}, no monitor`;
  return supervision?.nextStart === undefined ? status : `${status}, starts anew`;
}

function exitOf(supervision: Supervision | undefined): string | number {
  return supervision?.lost ? "lost" : supervision?.exitCode ?? "";
}
