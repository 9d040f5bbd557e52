/** `ls`: the containers that are defined below a directory. */

import { isDirectory } from "../base/files.ts";
import { isDefined } from "./container.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { hostFiles, readConfig } from "./config/read.ts";

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

/** What is known of a container that does not run; undefined if its configuration is not sound. */
export async function stoppedRow(
  { files }: Runtime,
  path: string,
  name: string,
): Promise<Row | undefined> {
  const file = `${path}/${name}/config`;
  const { config, findings } = await readConfig({ file }, hostFiles(files.read));
  if (findings.length > 0) return undefined;
  const groups = config.all("lxc.group").map(({ value }) => value);
  return {
    NAME: name,
    STATE: "STOPPED",
    PID: "-",
    RAM: "-",
    SWAP: "-",
    AUTOSTART: config.get("lxc.start.auto")?.value ? "1" : "0",
    GROUPS: groups.length > 0 ? groups.join(", ") : "-",
    INTERFACE: "-",
    IPV4: "-",
    IPV6: "-",
    UNPRIVILEGED: String(config.all("lxc.idmap").length > 0),
  };
}

/** Whether a container is in all of the groups. */
export function isInGroups(row: Row, groups: readonly string[]): boolean {
  const own = row.GROUPS.split(", ");
  return groups.every((group) => own.includes(group));
}

/** A table, each cell padded to the width of its column, and a blank behind each. */
export function fancyTable(rows: readonly Row[], columns: readonly Column[]): string {
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => row[column].length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, index) => `${cell.padEnd(widths[index]!)} `).join("") + "\n";
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map(line).join("");
}

/** Names in as many columns as fit, the longest with a blank behind; a line each for width 0. */
export function plainNames(names: readonly string[], width: number): string {
  if (width === 0) return names.map((name) => `${name}\n`).join("");
  const cell = Math.max(...names.map((name) => name.length)) + 1;
  const each = Math.max(1, Math.floor(width / cell));
  const lines: string[] = [];
  for (let at = 0; at < names.length; at += each) {
    lines.push(`${names.slice(at, at + each).map((name) => name.padEnd(cell)).join("")}\n`);
  }
  return lines.join("");
}
