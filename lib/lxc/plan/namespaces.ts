/** Which namespaces a container gets, keeps and shares. */

import type { IdMapping, Linux, Namespace, NamespaceType } from "../../spec/types/config.ts";
import type { Place } from "../config/place.ts";
import { NAMESPACES } from "../config/values_more.ts";
import type { Draft } from "./draft.ts";
import type { Namespaces, SharedNamespace } from "./types.ts";

/** New in every container, unless it keeps the host's. */
const USUAL: readonly NamespaceType[] = ["mount", "pid", "uts", "ipc", "network", "cgroup"];

/** What the specification has of them, and what it has not. */
interface NamespacePlan {
  readonly linux: Pick<Linux, "namespaces" | "timeOffsets" | "uidMappings" | "gidMappings">;
  readonly beyond: Namespaces;
}

/** The namespaces of a container. */
export function planNamespaces(draft: Draft): NamespacePlan {
  const shared = sharedNamespaces(draft);
  const namespaces: Namespace[] = [];
  const beyond: SharedNamespace[] = [];
  const fresh = freshNamespaces(draft).filter(({ type }) =>
    !shared.some((one) => one.type === type)
  );
  for (const { type, path, container, at } of [...fresh, ...shared]) {
    if (container !== undefined) {
      draft.from(`beyond.namespaces.shared[${beyond.length}]`, at);
      beyond.push({ type, container });
      continue;
    }
    draft.from(`linux.namespaces[${namespaces.length}]`, at);
    namespaces.push({ type, ...(path !== undefined && { path }) });
  }
  const hasUser = namespaces.some(({ type, path }) => type === "user" && path === undefined);
  return {
    linux: { namespaces, ...timeOffsets(draft), ...(hasUser && idMaps(draft)) },
    beyond: { shared: beyond },
  };
}

interface Wanted {
  readonly type: NamespaceType;
  readonly at?: Place | undefined;
  readonly path?: string;
  readonly container?: string;
}

function freshNamespaces(draft: Draft): Wanted[] {
  const { config } = draft;
  const clone = config.all("lxc.namespace.clone");
  if (clone.length > 0) {
    const types = Map.groupBy(clone, ({ value }) => value);
    return [...types].map(([type, [first]]) => ({ type, at: first!.at }));
  }
  const idmap = config.all("lxc.idmap")[0];
  const offset = config.get("lxc.time.offset.boot") ?? config.get("lxc.time.offset.monotonic");
  const all: Wanted[] = [
    ...USUAL.map((type) => ({ type })),
    ...(idmap ? [{ type: "user", at: idmap.at } as const] : []),
    ...(offset ? [{ type: "time", at: offset.at } as const] : []),
  ];
  const kept = config.all("lxc.namespace.keep").map(({ value }) => value);
  if (usesHostNetwork(draft)) kept.push("network");
  return all.filter(({ type }) => !kept.includes(type));
}

/** `lxc.net.0.type = none`. */
function usesHostNetwork({ config }: Draft): boolean {
  return config.nets().some(([, net]) => net.get("type")?.value === "none");
}

function sharedNamespaces({ config }: Draft): Wanted[] {
  return config.family("lxc.namespace.share").map(({ name, value, at }) => {
    const type = NAMESPACES[name]!;
    if (/^\d+$/.test(value)) return { type, at, path: `/proc/${value}/ns/${name}` };
    return { type, at, container: value };
  });
}

function timeOffsets(draft: Draft): Pick<Linux, "timeOffsets"> {
  const boottime = draft.config.get("lxc.time.offset.boot");
  const monotonic = draft.config.get("lxc.time.offset.monotonic");
  draft.from("linux.timeOffsets", boottime?.at ?? monotonic?.at);
  if (boottime === undefined && monotonic === undefined) return {};
  return {
    timeOffsets: {
      ...(boottime && { boottime: boottime.value }),
      ...(monotonic && { monotonic: monotonic.value }),
    },
  };
}

function idMaps(draft: Draft): Pick<Linux, "uidMappings" | "gidMappings"> {
  const ranges = draft.config.all("lxc.idmap");
  const maps = (kind: "u" | "g", path: string): IdMapping[] =>
    ranges.filter(({ value }) => value.type === kind).map(({ value, at }, index) => {
      draft.from(`${path}[${index}]`, at);
      draft.origins[path] ??= at;
      return { containerID: value.inside, hostID: value.outside, size: value.count };
    });
  return {
    uidMappings: maps("u", "linux.uidMappings"),
    gidMappings: maps("g", "linux.gidMappings"),
  };
}
