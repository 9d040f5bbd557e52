/** What two documents say differently, by JSON paths. */

import { changesOf } from "../base/difference.ts";
import { jsonPath } from "./check/findings.ts";
import { isObject } from "./json/exact.ts";
import { formatJson } from "./json/json.ts";

/** A place where they differ. */
export interface ConfigChange {
  /** JSON path: in the later document, unless it is there in the earlier one alone. */
  readonly path: string;
  /** JSON; absent where it is not there. */
  readonly before?: string;
  readonly after?: string;
}

type Keys = readonly (string | number)[];

/** In the order of the properties. Entries of lists that moved are no change of their own. */
export function configChanges(before: unknown, after: unknown, keys: Keys = []): ConfigChange[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) =>
      configChanges(own(before, name), own(after, name), [...keys, name])
    );
  }
  if (Array.isArray(before) && Array.isArray(after)) return listChanges(before, after, keys);
  const [old, now] = [textOf(before), textOf(after)];
  if (old === now) return [];
  return [{
    path: jsonPath(keys),
    ...(old !== undefined && { before: old }),
    ...(now !== undefined && { after: now }),
  }];
}

function listChanges(before: readonly unknown[], after: readonly unknown[], keys: Keys) {
  const places = (list: readonly unknown[]) => list.map((value, index) => ({ value, index }));
  const changes = changesOf(places(before), places(after), ({ value }) => textOf(value) ?? "");
  const removed = changes.filter(({ change }) => change === "removed");
  const added = changes.filter(({ change }) => change === "added");
  // As many of one as of the other: each has become another.
  if (removed.length === added.length) {
    return removed.flatMap(({ item }, i): ConfigChange[] => {
      const { value, index } = added[i]!.item;
      return configChanges(item.value, value, [...keys, index]);
    });
  }
  return changes.map(({ change, item: { value, index } }): ConfigChange => ({
    path: jsonPath([...keys, index]),
    [change === "removed" ? "before" : "after"]: textOf(value) ?? "",
  }));
}

function own(value: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Numbers may be beyond those of JSON. */
function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : formatJson(value);
}
