/** Brings a configuration to the names of today; what is not a setting stays as it is. */

import { LegacyNames } from "./config/legacy.ts";
import { splitSetting } from "./config/lines.ts";
import { ROOTFS_DRIVERS } from "./config/values_more.ts";

/** One line that was changed. */
interface Change {
  /** From 1, in the old text. */
  readonly line: number;
  /** What happened to it: `lxc.utsname is now lxc.uts.name`. */
  readonly text: string;
}

/** A text with the names of today. */
interface Updated {
  readonly text: string;
  readonly changes: readonly Change[];
}

/** Converts the text of a configuration. */
export function updateText(text: string): Updated {
  const legacy = new LegacyNames();
  const driver = rootfsDriver(text);
  const changes: Change[] = [];
  const lines = text.split("\n").flatMap((whole, index) => {
    const note = (text: string) => changes.push({ line: index + 1, text });
    const line = whole.trim();
    if (line === "" || line.startsWith("#")) return [whole];
    const { key, value } = splitSetting(line);
    if (value === undefined) return [whole];
    const old = legacy.find(key);
    const named = old?.kind === "renamed" ? old.key : key;
    let written = old?.kind === "renamed" ? whole.replace(key, named) : whole;
    if (old?.kind === "renamed") note(`${key} is now ${named}`);
    else if (old?.kind === "gone") {
      note(`${key} is left out: ${old.why}`);
      return [];
    } else if (old?.kind === "backend") {
      note(`${key} is left out: the driver stands in front of lxc.rootfs.path`);
      return [];
    }
    if (named === "lxc.rootfs.path" && driver !== undefined && value.startsWith("/")) {
      written = withDriver(written, value, driver);
      note(`${named} is now ${driver}:${value}`);
    }
    return [written];
  });
  return { text: lines.join("\n"), changes };
}

/** The value stands last; it may stand in quotes. */
function withDriver(line: string, value: string, driver: string): string {
  const place = line.lastIndexOf(value);
  return `${line.slice(0, place)}${driver}:${line.slice(place)}`;
}

/** The last driver that the text has a line for, if paths need one in front. */
function rootfsDriver(text: string): string | undefined {
  let driver: string | undefined;
  for (const whole of text.split("\n")) {
    const { key, value } = splitSetting(whole.trim());
    if (key === "lxc.rootfs.backend") driver = value;
  }
  const name = driver === "overlayfs" || driver === "aufs" ? "overlay" : driver;
  return name !== "dir" && ROOTFS_DRIVERS.some((one) => one === name) ? name : undefined;
}
