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
import type { Listing } from "../lxc/nested.ts";
import type { Runtime } from "../runtime/runtime.ts";
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
      integer: true,
      description: "also those within containers, and within those; alone: 5 levels",
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
    const path = lxcPath(runtime, options.lxcpath);
    const pattern = regex(options.filter ?? args.pattern);
    const columns = columnsOf(options.fancyFormat);
    const groups = options.groups?.split(",").filter((group) => group !== "") ?? [];
    const rows: Row[] = [];
    const isWanted = (row: Row) => isInGroups(row, groups) && isInState(row, options);
    const isFancy = options.fancy || options.fancyFormat !== undefined;
    const volatile = options.defined ? [] : volatileNames(runtime, path);
    const names = [...containerNames(path), ...volatile].toSorted();
    const shown = isFancy ? columns : [];
    const all = new Rows(runtime, path, shown);
    const isNamed = (name: string) => pattern.test(name);
    const listing = {
      lxcpath: path,
      columns: shown,
      levels: options.nesting ?? 0,
      isNamed,
      isWanted,
    };
    for (const name of names.filter(isNamed)) {
      const row = await all.of(name, !volatile.includes(name));
      if (row === undefined) {
        runtime.warn(`${path}/${name}/config is not sound: see "runts lxc check"`);
      } else if (isWanted(row)) rows.push(row, ...await withinOf(runtime, listing, name, isFancy));
    }
    if (isFancy) return print(fancyTable(rows, columns));
    if (rows.length === 0) return;
    print(plainNames(rows.map(({ NAME }) => NAME), options.line ? 0 : await width() ?? 0));
  },
});

/** The containers in a container: with all names of those that they are in, or in a table behind them. */
async function withinOf(
  runtime: Runtime,
  listing: Listing,
  name: string,
  isFancy: boolean,
): Promise<Row[]> {
  if (listing.levels === 0) return [];
  const [{ Nested }, { load }] = await Promise.all([
    import("../lxc/nested.ts"),
    import("../runtime/load.ts"),
  ]);
  const rows = await new Nested(await load(runtime), listing).of(name);
  return rows.map(({ row, within }) => ({
    ...row,
    NAME: isFancy ? "\\".padStart(within.length) + row.NAME : [...within, row.NAME].join("/"),
  }));
}

/** Which states are asked for; all if none is. */
function isInState(
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
