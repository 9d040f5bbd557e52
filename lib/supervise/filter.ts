/** Choosing containers: `label=key`, `label=key=value`, `status=running`, `exited=5`, `name=web`. */

import { nearest } from "../base/nearest.ts";
import { quote, RuntsError } from "../base/errors.ts";

/** What a filter looks at. */
interface Filtered {
  readonly id: string;
  readonly status: string;
  /** How init ended, where it has and that is known. */
  readonly exitCode?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

type Test = (entry: Filtered) => boolean;

const STATUSES = ["creating", "created", "running", "paused", "stopped", "unknown"];

const KINDS: Readonly<Record<string, (value: string, what: string) => Test>> = {
  label: (value) => {
    const [key, wanted] = keyAndValue(value);
    return ({ labels = {} }) =>
      Object.hasOwn(labels, key) && (wanted === undefined || labels[key] === wanted);
  },
  status: (value, what) => {
    if (STATUSES.includes(value)) return ({ status }) => status === value;
    const near = nearest(value, STATUSES);
    const hint = near === undefined ? `as ${STATUSES.join(", ")}` : `did you mean ${quote(near)}?`;
    throw new RuntsError(`${what}: ${quote(value)} is not a status`, { hint });
  },
  exited: (value, what) => {
    if (/^\d{1,3}$/.test(value) && Number(value) <= 255) {
      return ({ exitCode }) => exitCode === Number(value);
    }
    throw new RuntsError(`${what}: ${quote(value)} is not an exit code`);
  },
  name: (value) => ({ id }) => id.includes(value),
};

/**
 * A test for what passes all filters. Of several filters of one kind one must fit, but of labels each.
 * Throws RuntsError that names `what`.
 */
export function parseFilters(what: string, filters: readonly string[]): Test {
  const groups = new Map<string, Test[]>();
  for (const filter of filters) {
    const [kind, value] = keyAndValue(filter);
    const make = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
    if (make === undefined || value === undefined || value === "") {
      throw unknown(what, filter, kind);
    }
    const group = kind === "label" ? filter : kind;
    groups.getOrInsertComputed(group, () => []).push(make(value, what));
  }
  return (entry) => [...groups.values()].every((tests) => tests.some((test) => test(entry)));
}

function unknown(what: string, filter: string, kind: string): RuntsError {
  const near = nearest(kind, Object.keys(KINDS));
  const form = 'as "label=KEY", "label=KEY=VALUE", "status=running", "exited=5" or "name=web"';
  const hint = near === undefined || near === kind ? form : `did you mean ${quote(near)}?`;
  return new RuntsError(`${what}: ${quote(filter)} is not a filter`, { hint });
}

/** `key` or `key=value`, of `--label` as of filters. */
function keyAndValue(text: string): [key: string, value: string | undefined] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Labels as they are given: `key=value`; a key alone has an empty value. The last of a key counts. */
export function parseLabels(what: string, labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((label) => {
    const [key, value = ""] = keyAndValue(label);
    if (key === "") throw new RuntsError(`${what}: ${quote(label)} has no key`);
    return [key, value];
  }));
}
