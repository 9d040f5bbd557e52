/** What a configuration has set: for each key its values and the lines that they come from. */

import { faultText, type Finding, type Given, type Place, type Report } from "./place.ts";
import type { ManyKey, ManyName, OneKey, OneName, ValueOf } from "./keys.ts";

type Entry = OneKey<unknown> | ManyKey<unknown>;

/** A line of a key whose lines add up. */
interface Added {
  readonly values: readonly unknown[];
  readonly text: string;
  readonly at: Place;
}

/** The values of the keys of a table. */
export class Settings<T> {
  readonly #table: Readonly<Record<string, Entry>>;
  readonly #one = new Map<string, Given<unknown>>();
  readonly #many = new Map<string, Added[]>();

  constructor(table: T) {
    this.#table = table as Readonly<Record<string, Entry>>;
  }

  /** Whether the table has a key. */
  has(key: string): boolean {
    return Object.hasOwn(this.#table, key);
  }

  /** What one line says of a key that the table has; gives the faults of the value. */
  take(key: string, text: string, at: Place): Finding[] {
    const entry = this.#table[key]!;
    if (text === "" && (entry.kind === "many" || entry.cleared === undefined)) {
      this.clear(key);
      return [];
    }
    const value = text === "" && entry.kind === "one" ? entry.cleared! : text;
    const findings: Finding[] = [];
    const parsed = entry.parse(value, reporter(findings, value, at));
    if (findings.length > 0) return findings;
    if (entry.kind === "one") this.#one.set(key, { value: parsed, text: value, at });
    else this.#lines(key).push({ values: parsed as readonly unknown[], text, at });
    return [];
  }

  /** Forgets what was said of a key. */
  clear(key: string): void {
    this.#one.delete(key);
    this.#many.delete(key);
  }

  /** The value of a key, if a line gave one. */
  get<K extends OneName<T> & string>(key: K): Given<ValueOf<T[K]>> | undefined {
    return this.#one.get(key) as Given<ValueOf<T[K]>> | undefined;
  }

  /** The values of a key whose lines add up; those of one line share their text and place. */
  all<K extends ManyName<T> & string>(key: K): Given<ValueOf<T[K]>>[] {
    return (this.#many.get(key) ?? []).flatMap(({ values, text, at }) =>
      values.map((value) => ({ value: value as ValueOf<T[K]>, text, at }))
    );
  }

  /** The first line of a key that still counts. */
  place(key: string): Place | undefined {
    return this.#one.get(key)?.at ?? this.#many.get(key)?.[0]?.at;
  }

  /** The keys that are set, in the order of their first lines. */
  set(): string[] {
    return [...this.#one.keys(), ...this.#many.keys()];
  }

  /** A value as LXC prints it; undefined if the table has no such key. */
  show(key: string): string | undefined {
    if (!this.has(key)) return undefined;
    const entry = this.#table[key]!;
    if (entry.kind === "one") {
      const given = this.#one.get(key);
      return given === undefined ? entry.unset : entry.show(given.value, given.text);
    }
    const lines = this.#many.get(key) ?? [];
    if (lines.length === 0) return "";
    return entry.show(lines.flatMap(({ values }) => values), lines.map(({ text }) => text));
  }

  #lines(key: string): Added[] {
    const lines = this.#many.get(key) ?? [];
    this.#many.set(key, lines);
    return lines;
  }
}

/** Collects the faults of a value. */
export function reporter(findings: Finding[], value: string, at: Place): Report {
  return (fault, part, hint) =>
    findings.push({ at, message: faultText(part ?? value, fault, hint) });
}
