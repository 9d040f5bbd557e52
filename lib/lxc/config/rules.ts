/** What must hold between the settings of a configuration. */

import type { LxcConfig, NetSettings } from "./config.ts";
import type { Finding, Given, Place } from "./place.ts";
import type { IdRange } from "./values_more.ts";

/** Settings that contradict each other, and those that lack another one. */
export function combinationFindings(config: LxcConfig): Finding[] {
  return [
    ...exclusions(config),
    ...cgroupDirectories(config),
    ...idMaps(config),
    ...config.nets().flatMap(([index, net]) => device(index, net)),
    ...networks(config),
    ...hostName(config),
  ];
}

/** Keys of which only one may be set. */
const EXCLUSIVE: readonly (readonly [key: string, other: string])[] = [
  ["lxc.cap.keep", "lxc.cap.drop"],
  ["lxc.namespace.keep", "lxc.namespace.clone"],
  ["lxc.cgroup.dir.container", "lxc.cgroup.dir"],
  ["lxc.cgroup.dir.monitor", "lxc.cgroup.dir"],
];

function exclusions({ settings }: LxcConfig): Finding[] {
  return EXCLUSIVE.flatMap(([key, other]) => {
    const [at, otherAt] = [settings.place(key), settings.place(other)];
    if (at === undefined || otherAt === undefined) return [];
    const line = otherAt.file === at.file ? `line ${otherAt.line}` : otherAt.file;
    return [{ at, message: `contradicts ${other} (${line}): only one of them may be set` }];
  });
}

function cgroupDirectories({ settings }: LxcConfig): Finding[] {
  const needs = (key: string, other: string) => {
    const at = settings.place(key);
    if (at === undefined || settings.place(other) !== undefined) return [];
    return [{ at, message: `needs ${other}, too` }];
  };
  return [
    ...needs("lxc.cgroup.dir.container", "lxc.cgroup.dir.monitor"),
    ...needs("lxc.cgroup.dir.monitor", "lxc.cgroup.dir.container"),
    ...needs("lxc.cgroup.dir.container.inner", "lxc.cgroup.dir.container"),
  ];
}

/** user_namespaces(7): ranges may not overlap, and both kinds of ids are mapped. */
function idMaps(config: LxcConfig): Finding[] {
  const ranges = config.all("lxc.idmap");
  const first = ranges[0];
  if (first === undefined) return [];
  const missing = (["u", "g"] as const).filter((type) =>
    !ranges.some(({ value }) => value.type === type)
  );
  return [
    ...missing.map((type) => ({ at: first.at, message: `${NO_MAP[type]} are mapped nowhere` })),
    ...ranges.flatMap((range, index) => {
      const other = ranges.slice(0, index).find((one) => overlap(one.value, range.value));
      return other === undefined ? [] : [overlapping(range, other)];
    }),
  ];
}

const NO_MAP = { u: "user ids (u …)", g: "group ids (g …)" };

function overlap(a: IdRange, b: IdRange): boolean {
  const meet = (side: "inside" | "outside") =>
    a[side] < b[side] + b.count && b[side] < a[side] + a.count;
  return a.type === b.type && (meet("inside") || meet("outside"));
}

function overlapping(range: Given<IdRange>, other: Given<IdRange>): Finding {
  return { at: range.at, message: `"${range.text}" overlaps "${other.text}"` };
}

/** Settings that belong to one type of device, by what they begin with. */
const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  "veth.": ["veth"],
  "macvlan.": ["macvlan"],
  "ipvlan.": ["ipvlan"],
  "vlan.": ["vlan"],
  l2proxy: ["ipvlan", "veth"],
};

function device(index: number, net: NetSettings): Finding[] {
  const type = net.get("type");
  const keys = net.set();
  if (type === undefined) {
    const at = net.place(keys[0] ?? "");
    return at === undefined ? [] : [{ at, message: `needs lxc.net.${index}.type, too` }];
  }
  const foreign = keys.flatMap((key) => {
    const owners = Object.entries(OF_TYPE).find(([start]) => key.startsWith(start))?.[1];
    if (owners === undefined || owners.includes(type.value)) return [];
    const message = `is for a device of type ${owners.join(" or ")}, and this one is ` +
      `${type.value} (line ${type.at.line})`;
    return [{ at: net.place(key)!, message }];
  });
  const needs = (NEEDS[type.value] ?? []).filter((key) => !keys.includes(key))
    .map((key) => ({ at: type.at, message: `"${type.text}" needs lxc.net.${index}.${key}` }));
  return [...foreign, ...needs];
}

const NEEDS: Readonly<Record<string, readonly string[]>> = {
  macvlan: ["link"],
  ipvlan: ["link"],
  phys: ["link"],
  vlan: ["link", "vlan.id"],
};

/** The host's network has the host's devices, and no others. */
function networks(config: LxcConfig): Finding[] {
  const types = config.nets().flatMap(([, net]) => net.get("type") ?? []);
  const none = types.find(({ value }) => value === "none");
  if (none === undefined || types.length === 1) return [];
  return [{ at: none.at, message: '"none" leaves no room for other network devices' }];
}

/** A name in the host's uts namespace would be the host's. */
function hostName(config: LxcConfig): Finding[] {
  const name = config.get("lxc.uts.name");
  if (name === undefined) return [];
  const keep = config.all("lxc.namespace.keep").find(({ value }) => value === "uts");
  const clone = config.all("lxc.namespace.clone");
  const omitted = clone.length > 0 && !clone.some(({ value }) => value === "uts");
  const kept: Place | undefined = keep?.at ?? (omitted ? clone[0]!.at : undefined);
  if (kept === undefined) return [];
  const message = `would rename the host: ${kept.key} (line ${kept.line}) leaves the container ` +
    "in the host's uts namespace";
  return [{ at: name.at, message }];
}
