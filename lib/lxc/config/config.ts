/** A container's configuration as it was read. */

import { KEYS, NET_KEYS } from "./keys.ts";
import { nearest } from "../../base/nearest.ts";
import { faultText, type Finding, type Given, guessText, type Place } from "./place.ts";
import { reporter, Settings } from "./settings.ts";
import { type Limit, limit, LIMITS, NAMESPACES } from "./values_more.ts";
import { type Parse, text } from "./values.ts";

/** Keys that end in a name: what the value of each name is. */
interface Families {
  "lxc.cgroup": string;
  "lxc.cgroup2": string;
  "lxc.namespace.share": string;
  "lxc.prlimit": Limit;
  "lxc.proc": string;
  "lxc.sysctl": string;
}
type FamilyName = keyof Families;

/** One line of a key that ends in a name. */
export interface Named<T> extends Given<T> {
  readonly name: string;
}

interface Family {
  readonly parse: Parse<unknown>;
  /** Lines of one name add up. */
  readonly repeats?: true;
  /** The names that there are; absent: any. */
  readonly names?: readonly string[];
  /** The key may stand without a name, to forget all or to be printed. */
  readonly whole?: true;
  readonly show?: (value: unknown, text: string) => string;
}

const FAMILIES: Readonly<Record<FamilyName, Family>> = {
  "lxc.cgroup": { parse: text, repeats: true, whole: true },
  "lxc.cgroup2": { parse: text, repeats: true, whole: true },
  "lxc.namespace.share": { parse: text, names: Object.keys(NAMESPACES) },
  "lxc.prlimit": { parse: limit, names: LIMITS, whole: true, show: (_, text) => limitText(text) },
  "lxc.proc": { parse: text, whole: true },
  "lxc.sysctl": { parse: text, whole: true },
};

function limitText(text: string): string {
  return text.replace(/\s*:\s*/, ":");
}

/** The network devices by their indexes, and what is set of each. */
export type NetSettings = Settings<typeof NET_KEYS>;

/** Every line that counts, by key. */
export class LxcConfig {
  /** Keys without a name in them. */
  readonly settings = new Settings(KEYS);
  readonly #families = new Map<string, Named<unknown>[]>();
  readonly #nets = new Map<number, NetSettings>();

  /** A value of a key whose last line counts. */
  get: Settings<typeof KEYS>["get"] = (key) => this.settings.get(key);
  /** The values of a key whose lines add up. */
  all: Settings<typeof KEYS>["all"] = (key) => this.settings.all(key);

  /** The lines of a family of keys that count, in their order. */
  family<F extends FamilyName>(family: F): readonly Named<Families[F]>[] {
    return (this.#families.get(family) ?? []) as unknown as Named<Families[F]>[];
  }

  /** The network devices in the order of their indexes. */
  nets(): [index: number, settings: NetSettings][] {
    return [...this.#nets].sort(([a], [b]) => a - b);
  }

  /** What one line says; gives what is wrong with it. */
  take(key: string, value: string, at: Place): Finding[] {
    if (this.settings.has(key)) return this.settings.take(key, value, at);
    if (key === "lxc.hook" || key === "lxc.net" || /^lxc\.net\.\d+$/.test(key)) {
      return this.#forget(key, value, at);
    }
    const net = /^lxc\.net\.(\d{1,9})\.(.+)$/.exec(key);
    if (net !== null) return this.#takeNet(Number(net[1]), net[2]!, value, at);
    const family = familyOf(key);
    if (family !== undefined) return this.#takeNamed(family, value, at);
    return [{ at, message: "is not a key" + suffix(nearKey(key)) }];
  }

  /** A value as LXC prints it; undefined if there is no such key. */
  show(key: string): string | undefined {
    if (this.settings.has(key)) return this.settings.show(key);
    if (key === "lxc.net") {
      return this.nets().map(([, net]) => `${net.get("type")?.value ?? ""}\n`).join("");
    }
    const net = /^lxc\.net\.(\d{1,9})\.(.+)$/.exec(key);
    if (net !== null) return this.#nets.get(Number(net[1]))?.show(net[2]!);
    const family = familyOf(key);
    return family && this.#showNamed(family);
  }

  #forget(key: string, value: string, at: Place): Finding[] {
    if (value !== "") {
      return [{ at, message: faultText(value, `is set, but ${key} takes no value`) }];
    }
    if (key === "lxc.net") this.#nets.clear();
    else if (key === "lxc.hook") {
      for (const name of this.settings.set()) {
        if (/^lxc\.hook\.(?!version$)/.test(name)) this.settings.clear(name);
      }
    } else this.#nets.delete(Number(key.slice("lxc.net.".length)));
    return [];
  }

  #takeNet(index: number, key: string, value: string, at: Place): Finding[] {
    const settings: NetSettings = this.#nets.get(index) ?? new Settings(NET_KEYS);
    if (!settings.has(key)) {
      const near = nearest(key, Object.keys(NET_KEYS));
      const guess = near === undefined ? undefined : `lxc.net.${index}.${near}`;
      return [{ at, message: "is not a key" + suffix(guessText(guess)) }];
    }
    const findings = settings.take(key, value, at);
    if (findings.length === 0) this.#nets.set(index, settings);
    return findings;
  }

  #takeNamed({ family, name }: FamilyKey, value: string, at: Place): Finding[] {
    const { parse, repeats, names } = FAMILIES[family];
    const lines = this.#families.get(family) ?? [];
    if (name === "" && value !== "") {
      return [{ at, message: `has no name behind ${family}.` }];
    }
    if (name !== "" && names !== undefined && !names.includes(name)) {
      const near = name === "mount" ? "mnt" : nearest(name.toLowerCase(), names);
      const hint = guessText(near && `${family}.${near}`) ??
        `behind ${family}. stands one of ${names.join(", ")}`;
      return [{ at, message: "is not a key" + suffix(hint) }];
    }
    const others = lines.filter((line) => name !== "" && line.name !== name);
    if (value === "") {
      this.#families.set(family, others);
      return [];
    }
    const findings: Finding[] = [];
    const parsed = parse(value, reporter(findings, value, at));
    if (findings.length > 0) return findings;
    const line = { name, value: parsed, text: value, at };
    this.#families.set(family, repeats ? [...lines, line] : replaced(lines, line));
    return [];
  }

  #showNamed({ family, name }: FamilyKey): string | undefined {
    const { names, show, repeats, whole } = FAMILIES[family];
    if (name === "" ? !whole : names?.includes(name) === false) return undefined;
    const shown = ({ value, text }: Named<unknown>) => show?.(value, text) ?? text;
    const lines = this.#families.get(family) ?? [];
    if (name === "") return lines.map((it) => `${family}.${it.name} = ${shown(it)}\n`).join("");
    const own = lines.filter((line) => line.name === name).map(shown);
    return repeats ? own.map((text) => `${text}\n`).join("") : own.join("");
  }
}

/** A line that takes the place of another one of its name. */
function replaced(lines: readonly Named<unknown>[], line: Named<unknown>): Named<unknown>[] {
  const place = lines.findIndex(({ name }) => name === line.name);
  return place < 0 ? [...lines, line] : lines.with(place, line);
}

interface FamilyKey {
  readonly family: FamilyName;
  /** Empty where the key is the family's. */
  readonly name: string;
}

function familyOf(key: string): FamilyKey | undefined {
  const family = (Object.keys(FAMILIES) as FamilyName[])
    .find((one) => key === one || key.startsWith(`${one}.`));
  if (family === undefined) return undefined;
  return { family, name: key.slice(family.length + 1) };
}

function suffix(hint: string | undefined): string {
  return hint === undefined ? "" : `: ${hint}`;
}

/** Which key a word was meant to be. */
function nearKey(key: string): string | undefined {
  const names = [...Object.keys(KEYS), ...Object.keys(FAMILIES), "lxc.net", "lxc.include"];
  const named = /^(lxc\.(?:prlimit|limit|sysctl|cgroup2?))[^.]*\./.exec(key);
  if (named !== null) return undefined;
  const net = /^lxc\.[a-z]*net[a-z]*\.(\d+\.)?(.+)$/.exec(key);
  if (net !== null && Object.hasOwn(NET_KEYS, net[2]!)) {
    return guessText(`lxc.net.${net[1] ?? "0."}${net[2]}`);
  }
  return guessText(nearest(key.toLowerCase(), names));
}
