/** Changes of a configuration's text: comments, blank lines and includes stay where they are. */

import { LegacyNames } from "./legacy.ts";
import { splitSetting } from "./lines.ts";

/** A line that sets something. */
interface SettingLine {
  /** By its name of today. */
  readonly key: string;
  readonly value: string;
}

/** What becomes of a line: another value, nothing (`null`), or what it is. */
export type LineChange = (line: SettingLine) => string | null | undefined;

/** The text with the lines changed, and further ones at its end. */
export function editText(text: string, change: LineChange, further: readonly string[]): string {
  const legacy = new LegacyNames();
  const lines = text.replace(/\n$/, "").split("\n").flatMap((whole) => {
    const line = whole.trim();
    if (line === "" || line.startsWith("#")) return [whole];
    const { key, value } = splitSetting(line);
    if (value === undefined) return [whole];
    const old = legacy.find(key);
    const changed = change({ key: old?.kind === "renamed" ? old.key : key, value });
    if (changed === undefined) return [whole];
    return changed === null ? [] : [`${key} = ${changed}`];
  });
  const kept = text === "" ? [] : lines;
  return [...kept, ...further].map((line) => `${line}\n`).join("");
}

/** Removes the lines of some keys. */
export function without(...keys: readonly string[]): LineChange {
  return ({ key }) => keys.includes(key) ? null : undefined;
}
