/** Cgroups: where they are, and what `lxc.cgroup.*` and `lxc.cgroup2.*` set. */

import { quote } from "../../base/errors.ts";
import type { DeviceRule, Resources } from "../../spec/types/config.ts";
import type { Named } from "../config/config.ts";
import { convert, OTHERWISE_ON_V2, V1_ONLY } from "./cgroup_keys.ts";
import type { Draft } from "./draft.ts";
import type { Cgroup, CgroupFile } from "./types.ts";

/** What the specification has of it. */
interface CgroupPlan {
  readonly cgroupsPath: string;
  readonly resources: Resources;
  readonly beyond: Cgroup;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The cgroups of a container, and its limits. */
export function planCgroup(draft: Draft): CgroupPlan {
  const paths = planPaths(draft);
  const files: CgroupFile[] = [];
  const resources: Mutable<Resources> = draft.input.host.cgroup === "v1"
    ? limitsV1(draft, files)
    : limitsV2(draft);
  resources.devices = deviceRules(draft);
  const path = paths.inner === undefined ? paths.container : `${paths.container}/${paths.inner}`;
  return {
    cgroupsPath: paths.relative ? path : `/${path}`,
    resources,
    beyond: { ...paths, files, exactDevices: true },
  };
}

function planPaths(draft: Draft): Omit<Cgroup, "files" | "exactDevices"> {
  const { config, input: { name } } = draft;
  const [dir, own] = [config.get("lxc.cgroup.dir"), config.get("lxc.cgroup.dir.container")];
  const monitor = config.get("lxc.cgroup.dir.monitor");
  const pivot = config.get("lxc.cgroup.dir.monitor.pivot");
  const inner = config.get("lxc.cgroup.dir.container.inner");
  const below = dir === undefined ? "" : `${dir.value}/`;
  const relative = config.get("lxc.cgroup.relative");
  draft.from("linux.cgroupsPath", own?.at ?? dir?.at ?? relative?.at);
  draft.from("beyond.cgroup.monitor", monitor?.at ?? dir?.at);
  draft.from("beyond.cgroup.pivot", pivot?.at ?? dir?.at);
  return {
    relative: relative?.value ?? false,
    container: own?.value ?? `${below}lxc.payload.${name}`,
    monitor: monitor?.value ?? `${below}lxc.monitor.${name}`,
    pivot: pivot?.value ?? `${below}lxc.pivot`,
    ...(inner && { inner: inner.value }),
    exact: own !== undefined,
  };
}

/** Settings of version 1; those for version 2 are for other hosts. */
function limitsV1(draft: Draft, files: CgroupFile[]): Resources {
  const resources: Mutable<Resources> = {};
  for (const line of draft.config.family("lxc.cgroup")) {
    if (line.name.startsWith("devices.")) continue;
    if (checkName(draft, line) && !setLimit(draft, resources, line)) {
      draft.from(`beyond.cgroup.files[${files.length}]`, line.at);
      files.push({ controller: controllerOf(line.name), file: line.name, value: line.value });
    }
  }
  for (const line of draft.config.family("lxc.cgroup2")) checkName(draft, line);
  return resources;
}

/**
 * Settings of version 2, and those of version 1 that mean the same there. Whoever sets anything of
 * a controller for version 2 has said all of it.
 */
function limitsV2(draft: Draft): Resources {
  const resources: Mutable<Resources> = {};
  const unified: Record<string, string> = {};
  const own = draft.config.family("lxc.cgroup2").filter(({ name }) => !name.startsWith("devices."));
  for (const line of own) {
    if (!checkName(draft, line)) continue;
    unified[line.name] = line.value;
    draft.from(`linux.resources.unified[${quote(line.name)}]`, line.at);
  }
  const controllers = new Set(own.map(({ name }) => controllerOf(name)));
  for (const line of draft.config.family("lxc.cgroup")) {
    if (line.name.startsWith("devices.") || !checkName(draft, line)) continue;
    const controller = OTHERWISE_ON_V2[controllerOf(line.name)] ?? controllerOf(line.name);
    if (controllers.has(controller)) continue;
    const only = V1_ONLY[line.name];
    if (only !== undefined) draft.warn(line.at, `means nothing on cgroup v2: ${only}`);
    else if (!setLimit(draft, resources, line)) {
      draft.warn(line.at, "has no counterpart on cgroup v2 and is left out");
    }
  }
  if (Object.keys(unified).length > 0) resources.unified = unified;
  return resources;
}

function controllerOf(file: string): string {
  return file.slice(0, file.indexOf("."));
}

/** `memory.max`: a controller, and a file of it. */
function checkName(draft: Draft, { name, at }: Named<string>): boolean {
  if (/^[a-z_]+\.[\w.]+$/.test(name)) return true;
  draft.fail(at, `${quote(name)} is not the name of a cgroup file: as memory.max or cpu.shares`);
  return false;
}

/** Sets what the specification has a word for; false if it has none. */
function setLimit(draft: Draft, resources: Mutable<Resources>, line: Named<string>): boolean {
  const converted = convert(line.name, line.value);
  if (converted === undefined) return false;
  if ("fault" in converted) {
    draft.fail(line.at, `${quote(line.value)} ${converted.fault}`);
    return true;
  }
  const { part, field, value, each } = converted;
  const rooms = resources as Record<string, Record<string, unknown> | unknown[]>;
  if (part === "hugepageLimits") {
    const list = (rooms[part] ??= []) as unknown[];
    draft.from(`linux.resources.${part}[${list.length}]`, line.at);
    list.push(value);
    return true;
  }
  const room = (rooms[part] ??= {}) as Record<string, unknown>;
  const path = `linux.resources.${part}.${field}`;
  if (each) {
    const list = (room[field] ??= []) as unknown[];
    draft.from(`${path}[${list.length}]`, line.at);
    list.push(value);
  } else {
    room[field] = value;
    draft.from(path, line.at);
  }
  return true;
}

/** The rules in their order; a container begins with every device allowed. */
function deviceRules(draft: Draft): DeviceRule[] {
  const { config, input: { host } } = draft;
  const of = (family: "lxc.cgroup" | "lxc.cgroup2") =>
    config.family(family).filter(({ name }) => name.startsWith("devices."));
  const own = of(host.cgroup === "v1" ? "lxc.cgroup" : "lxc.cgroup2");
  const lines = own.length === 0 && host.cgroup === "v2" ? of("lxc.cgroup") : own;
  const rules: DeviceRule[] = [{ allow: true, access: "rwm" }];
  for (const { name, value, at } of lines) {
    const rule = deviceRule(name, value);
    if (rule === undefined) {
      const form = 'as "a", "c 1:3 rwm" or "b *:* m"';
      const known = name === "devices.allow" || name === "devices.deny";
      draft.fail(at, known ? `${quote(value)} is not a device rule: ${form}` : NOT_DEVICES);
      continue;
    }
    draft.from(`linux.resources.devices[${rules.length}]`, at);
    rules.push(rule);
  }
  return rules;
}

const NOT_DEVICES = "is not a key: did you mean devices.allow or devices.deny?";

/** Documentation/admin-guide/cgroup-v1/devices.rst of Linux. */
function deviceRule(name: string, value: string): DeviceRule | undefined {
  const allow = name === "devices.allow";
  if (!allow && name !== "devices.deny") return undefined;
  if (/^a(?:\s+\*:\*(?:\s+rwm)?)?$/.test(value)) return { allow, access: "rwm" };
  const match = /^([bc])\s+(\d{1,7}|\*):(\d{1,7}|\*)\s+([rwm]{1,3})$/.exec(value);
  if (match === null) return undefined;
  const number = (text: string) => text === "*" ? -1 : Number(text);
  return {
    allow,
    type: match[1] as "b" | "c",
    major: number(match[2]!),
    minor: number(match[3]!),
    access: match[4]!,
  };
}
