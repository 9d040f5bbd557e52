/**
 * Device rules as properties of a unit, for v1: there systemd writes devices.allow and
 * devices.deny anew at every daemon-reload. On v2 it leaves a program that is not its own alone.
 */

import type { Resources } from "../../spec/types/config.ts";
import { accessText, deviceRules } from "../devices/rules.ts";
import { deviceState } from "../devices/v1.ts";
import { readFile } from "../files.ts";
import type { Property } from "./properties.ts";

/** DevicePolicy and DeviceAllow (systemd.resource-control(5)). */
export function deviceProperties(resources: Resources, prefix: string): Property[] {
  const rules = deviceRules(resources.devices, prefix);
  const { allowAll, exceptions } = deviceState(rules, `${prefix}devices`);
  const groups = readFile("/proc/devices") ?? "";
  const allowed = allowAll ? [] : [...exceptions].flatMap(([key, access]) => {
    const node = nodeOf(key, groups);
    return node === undefined ? [] : [[node, accessText(access)]];
  });
  return [
    ["DevicePolicy", ["s", allowAll ? "auto" : "strict"]],
    ["DeviceAllow", ["a(ss)", allowed]],
  ];
}

/**
 * `c 1:3`, `c 136:*` or `c *:*` as systemd names devices: by number, by the group's name in
 * /proc/devices, or all. Undefined for what it has no name for.
 */
export function nodeOf(key: string, groups: string): string | undefined {
  const [type, major = "", minor] = key.split(/[ :]/);
  const kind = type === "c" ? "char" : "block";
  if (major !== "*" && minor !== "*") return `/dev/${kind}/${major}:${minor}`;
  if (major === "*") return minor === "*" ? `${kind}-*` : undefined;
  const [characters = "", blocks = ""] = groups.split("Block devices:");
  const section = kind === "char" ? characters : blocks;
  const name = new RegExp(`^\\s*${major} (\\S+)$`, "m").exec(section)?.[1];
  return name === undefined ? undefined : `${kind}-${name}`;
}
