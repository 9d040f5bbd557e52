import { nearest } from "../base/nearest.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { lxcPath } from "../lxc/place.ts";
import {
  type Column,
  COLUMNS,
  containerNames,
  fancyTable,
  isInGroups,
  plainNames,
  type Row,
  Rows,
  USUAL,
  volatileNames,
} from "../lxc/list.ts";
import { LXC_COMMON, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc ls",
  group: "system",
  summary: "list containers",
  description: [
    "Lists the containers that are defined, and those that run without being defined. A container whose " +
    "configuration cannot be used is left out, with a warning.",
  ],
  arguments: {
    pattern: {
      value: "REGEX",
      description: "only containers whose names it matches, as with --filter",
      optional: true,
      complete: "none",
    },
  },
  options: {
    ...LXC_COMMON,
    line: { short: "1", description: "one name a line" },
    fancy: { short: "f", description: "a table" },
    fancyFormat: {
      short: "F",
      value: "COLUMNS",
      description: `columns of the table, separated by commas: ${COLUMNS.join(", ")}`,
    },
    active: { description: "only those that run or are frozen" },
    running: { description: "only those that run" },
    frozen: { description: "only those that are frozen" },
    stopped: { description: "only those that do not run" },
    defined: { description: "only those that are defined" },
    nesting: {
      value: "LEVELS",
      alone: "5",
      description: "of LXC: containers within containers are not looked for",
      hidden: true,
    },
    filter: { value: "REGEX", description: "only containers whose names it matches" },
    groups: {
      short: "g",
      value: "GROUPS",
      description: "only those that are in all of the groups",
    },
  },
  examples: [{ text: "all, as a table", command: "runts lxc ls -f" }],
  async run(context) {
    const { runtime, args, options, print, columns: width } = context;
    if (versionWanted(context)) return;
    if (options.nesting !== undefined) {
      throw new RuntsError("containers within containers are not looked for", {
        hint: "list them inside",
      });
    }
    const path = lxcPath(runtime, options.lxcpath);
    const pattern = regex(options.filter ?? args.pattern);
    const columns = columnsOf(options.fancyFormat);
    const groups = options.groups?.split(",").filter((group) => group !== "") ?? [];
    const rows: Row[] = [];
    const isFancy = options.fancy || options.fancyFormat !== undefined;
    const volatile = options.defined ? [] : volatileNames(runtime, path);
    const names = [...containerNames(path), ...volatile].toSorted();
    const all = new Rows(runtime, path, isFancy ? columns : []);
    for (const name of names.filter((one) => pattern.test(one))) {
      const row = await all.of(name, !volatile.includes(name));
      if (row === undefined) {
        runtime.warn(`${path}/${name}/config is not sound: see "runts lxc check"`);
      } else if (isInGroups(row, groups) && isWanted(row, options)) rows.push(row);
    }
    if (isFancy) return print(fancyTable(rows, columns));
    if (rows.length === 0) return;
    print(plainNames(rows.map(({ NAME }) => NAME), options.line ? 0 : await width() ?? 0));
  },
});

/** Which states are asked for; all if none is. */
function isWanted(
  { STATE }: Row,
  { active, running, frozen, stopped }: Partial<Record<string, unknown>>,
): boolean {
  const wanted = [
    ...(running || active ? ["RUNNING"] : []),
    ...(frozen || active ? ["FROZEN"] : []),
    ...(stopped ? ["STOPPED"] : []),
  ];
  return wanted.length === 0 || wanted.includes(STATE);
}

function regex(text: string | undefined): RegExp {
  try {
    return new RegExp(text ?? "");
  } catch (cause) {
    throw new RuntsError(`regular expression ${quote(text)}`, { cause });
  }
}

function columnsOf(text: string | undefined): readonly Column[] {
  if (text === undefined) return USUAL;
  return text.split(",").map((word) => {
    const column = COLUMNS.find((one) => one === word.trim().toUpperCase());
    if (column !== undefined) return column;
    const near = nearest(word.toUpperCase(), COLUMNS);
    throw new RuntsError(`${quote(word)} is not one of ${COLUMNS.join(", ")}`, {
      ...(near !== undefined && { hint: `did you mean ${quote(near)}?` }),
    });
  });
}
