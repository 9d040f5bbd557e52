/** `ls`: the containers of a directory. */

import { isDirectory } from "../base/files.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { hostFiles, type ReadConfig, readConfig } from "./config/read.ts";
import { isDefined } from "./place.ts";
import { networkFacts, type Usage, usageOf } from "./life/facts.ts";
import { systemIds, systemPlanIfAny } from "./life/record.ts";
import { systemNow } from "./life/state.ts";

/** Columns of the table, in the order of their list in help. */
export const COLUMNS = [
  "NAME",
  "STATE",
  "PID",
  "RAM",
  "SWAP",
  "AUTOSTART",
  "GROUPS",
  "INTERFACE",
  "IPV4",
  "IPV6",
  "UNPRIVILEGED",
] as const;
export type Column = (typeof COLUMNS)[number];

/** Those of a table that names none. */
export const USUAL: readonly Column[] = [
  ...["NAME", "STATE", "AUTOSTART", "GROUPS", "IPV4", "IPV6", "UNPRIVILEGED"] as const,
];

/** One container, a text for each column. */
export type Row = Readonly<Record<Column, string>>;

/** Names of the containers below a directory, sorted. */
export function containerNames(path: string): string[] {
  if (!isDirectory(path)) return [];
  return Array.from(Deno.readDirSync(path), ({ name }) => name)
    .filter((name) => !name.startsWith(".") && isDefined(path, name))
    .toSorted();
}

/** Names of the containers of a directory that run and are not defined there. */
export function volatileNames(runtime: Runtime, path: string): string[] {
  const idOf = systemIds(runtime, path);
  return Array.from(stateNames(runtime)).flatMap((id) => {
    const plan = systemPlanIfAny(runtime, id);
    if (plan === undefined || idOf(plan.name) !== id) return [];
    return isDefined(path, plan.name) ? [] : [plan.name];
  }).toSorted();
}

/** Names in the state root: few beside those of the containers that are defined. */
function stateNames({ root }: Runtime): Set<string> {
  return new Set(isDirectory(root) ? Array.from(Deno.readDirSync(root), ({ name }) => name) : []);
}

/** Looks at the containers of a directory, one after the other. */
export class Rows {
  readonly #runtime: Runtime;
  readonly #path: string;
  readonly #columns: readonly Column[];
  readonly #idOf: (name: string) => string;
  readonly #states: ReadonlySet<string>;

  constructor(runtime: Runtime, path: string, columns: readonly Column[]) {
    this.#runtime = runtime;
    this.#path = path;
    this.#columns = columns;
    this.#idOf = systemIds(runtime, path);
    this.#states = stateNames(runtime);
  }

  /**
   * What is known of a container; undefined if its configuration is not sound.
   *
   * @param isDefined its directory has a configuration
   */
  async of(name: string, isDefined: boolean): Promise<Row | undefined> {
    const [runtime, columns] = [this.#runtime, this.#columns];
    const id = this.#idOf(name);
    const { state, pid } = this.#states.has(id)
      ? systemNow(runtime, id)
      : { state: "STOPPED", pid: undefined };
    const settings = isDefined
      ? await settingsOf(runtime, `${this.#path}/${name}/config`)
      : startedSettings(runtime, id);
    if (settings === undefined) return undefined;
    const usage = () => usageOf(runtime, id);
    return {
      NAME: name,
      ...await stateCells(runtime, { state, pid, usage }, columns),
      ...settings,
    };
  }
}

type Cells<K extends Column> = Pick<Row, K>;

type SettingCells = Cells<"AUTOSTART" | "GROUPS" | "UNPRIVILEGED">;

/** A container as it is now. */
interface Now {
  readonly state: string;
  /** Of its init; undefined where there is none. */
  readonly pid: number | undefined;
  readonly usage: () => Promise<Usage>;
}

/** What is not of the configuration. */
export async function stateCells(
  runtime: Runtime,
  { state, pid, usage }: Now,
  columns: readonly Column[],
): Promise<Omit<Row, "NAME" | keyof SettingCells>> {
  return {
    STATE: state,
    PID: pid === undefined ? "-" : String(pid),
    ...await memoryCells(usage, pid, columns),
    ...await networkCells(runtime, pid, columns),
  };
}

async function settingsOf(runtime: Runtime, file: string): Promise<SettingCells | undefined> {
  return configuredCells(await readConfig({ file }, hostFiles(runtime.files.read)));
}

/** Of the configuration; undefined if it is not sound. */
export function configuredCells({ config, findings }: ReadConfig): SettingCells | undefined {
  if (findings.length > 0) return undefined;
  const groups = config.all("lxc.group").map(({ value }) => value);
  const auto = config.get("lxc.start.auto")?.value ?? false;
  return settingCells(auto, groups, config.all("lxc.idmap").length > 0);
}

/** Those that it was started with. */
function startedSettings(runtime: Runtime, id: string): SettingCells {
  const plan = systemPlanIfAny(runtime, id);
  const { auto = false, groups = [] } = plan?.beyond.start ?? {};
  return settingCells(auto, groups, plan?.spec.linux?.uidMappings !== undefined);
}

function settingCells(
  auto: boolean,
  groups: readonly string[],
  mapped: boolean,
): SettingCells {
  return {
    AUTOSTART: auto ? "1" : "0",
    GROUPS: cell(groups),
    UNPRIVILEGED: String(mapped),
  };
}

const cell = (values: readonly string[]) => values.length > 0 ? values.join(", ") : "-";

/** Is asked for only where it is to be shown. */
async function memoryCells(
  usage: Now["usage"],
  pid: number | undefined,
  columns: readonly Column[],
): Promise<Cells<"RAM" | "SWAP">> {
  const isShown = columns.includes("RAM") || columns.includes("SWAP");
  if (pid === undefined || !isShown) return { RAM: "-", SWAP: "-" };
  const { memory = 0, swap = 0 } = await usage();
  return { RAM: megabytes(memory), SWAP: megabytes(swap) };
}

const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(2)}MB`;

const NETWORK: readonly Column[] = ["INTERFACE", "IPV4", "IPV6"];

async function networkCells(
  runtime: Runtime,
  pid: number | undefined,
  columns: readonly Column[],
): Promise<Cells<"INTERFACE" | "IPV4" | "IPV6">> {
  const isShown = NETWORK.some((column) => columns.includes(column));
  if (pid === undefined || !isShown) return { INTERFACE: "-", IPV4: "-", IPV6: "-" };
  const { interfaces, ipv4, ipv6 } = await networkFacts(runtime, pid);
  return { INTERFACE: cell(interfaces), IPV4: cell(ipv4), IPV6: cell(ipv6) };
}

/** Whether a container is in all of the groups. */
export function isInGroups(row: Row, groups: readonly string[]): boolean {
  const own = row.GROUPS.split(", ");
  return groups.every((group) => own.includes(group));
}

/** What a container can choose (its devices, and what it has within) is not to reach a terminal as it is. */
const shown = (text: string) => text.replace(/\p{Cc}/gu, "?");

/** A table, each cell padded to the width of its column, and a blank behind each. */
export function fancyTable(found: readonly Row[], columns: readonly Column[]): string {
  const rows = found.map((row) => columns.map((column) => shown(row[column])));
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => row[index]!.length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, index) => `${cell.padEnd(widths[index]!)} `).join("") + "\n";
  return [columns, ...rows].map(line).join("");
}

/** Names in as many columns as fit, the longest with a blank behind; a line each for width 0. */
export function plainNames(found: readonly string[], width: number): string {
  const names = found.map(shown);
  if (width === 0) return names.map((name) => `${name}\n`).join("");
  const cell = Math.max(...names.map((name) => name.length)) + 1;
  const each = Math.max(1, Math.floor(width / cell));
  const lines: string[] = [];
  for (let at = 0; at < names.length; at += each) {
    lines.push(`${names.slice(at, at + each).map((name) => name.padEnd(cell)).join("")}\n`);
  }
  return lines.join("");
}
