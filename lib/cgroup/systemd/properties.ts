/** Properties of a container's unit: limits that systemd knows, and those of annotations. */

import type { BusValue } from "../../../ffi/systemd.ts";
import { quote, RuntsError } from "../../base/errors.ts";
import { numberMask } from "../../base/numbers.ts";
import type { Setting } from "../settings.ts";

/** A property of a unit (org.freedesktop.systemd1(5)). */
export type Property = readonly [name: string, value: BusValue];

/** No limit. */
const INFINITY = 2n ** 64n - 1n;
const SECOND = 1_000_000n;
/** systemd keeps quotas in whole percents. */
export const PERCENT = SECOND / 100n;

/** Of cpu.shares. */
const [MIN_SHARES, MAX_SHARES] = [2n, 262_144n];

/** The property with one number for the file; the same for v1 and v2 files. */
const NUMBERS: Readonly<Record<string, string>> = {
  "memory.max": "MemoryMax",
  "memory.high": "MemoryHigh",
  "memory.low": "MemoryLow",
  "memory.min": "MemoryMin",
  "memory.swap.max": "MemorySwapMax",
  "memory.limit_in_bytes": "MemoryLimit",
  "cpu.weight": "CPUWeight",
  "cpu.shares": "CPUShares",
  "pids.max": "TasksMax",
  "blkio.weight": "BlockIOWeight",
};

const LISTS: Readonly<Record<string, string>> = {
  "cpuset.cpus": "AllowedCPUs",
  "cpuset.mems": "AllowedMemoryNodes",
};

const THROTTLES: Readonly<Record<string, string>> = {
  rbps: "IOReadBandwidthMax",
  wbps: "IOWriteBandwidthMax",
  riops: "IOReadIOPSMax",
  wiops: "IOWriteIOPSMax",
};

/**
 * What systemd must know of the settings, lest it undoes them when it writes its own idea of
 * the unit (daemon-reload). Settings that it has no property for are in the files alone.
 */
export function settingProperties(settings: readonly Setting[]): Property[] {
  const values = new Map(settings.map(({ forms: [{ file, value }] }) => [file, value]));
  const properties: Property[] = [];
  for (const [file, value] of values) {
    const number = NUMBERS[file];
    const list = LISTS[file];
    if (number !== undefined) properties.push([number, ["t", clamped(number, amount(value))]]);
    else if (list !== undefined) properties.push([list, ["ay", numberMask(value)]]);
    else if (file === "cpu.max") properties.push(...quota(...words(value)));
  }
  if (values.has("cpu.cfs_quota_us") || values.has("cpu.cfs_period_us")) {
    properties.push(...quota(values.get("cpu.cfs_quota_us"), values.get("cpu.cfs_period_us")));
  }
  return idle(values.get("cpu.idle"), [...properties, ...inputOutput(settings)]);
}

function words(value: string): [string | undefined, string | undefined] {
  const [first, second] = value.split(" ");
  return [first, second];
}

function amount(value: string): bigint {
  return value === "max" || value.startsWith("-") ? INFINITY : BigInt(value);
}

function quota(quota: string | undefined, period: string | undefined): Property[] {
  const length = BigInt(period ?? 100_000);
  const limited = quota !== undefined && amount(quota) !== INFINITY;
  const time = limited ? perSecond(BigInt(quota), length) : INFINITY;
  return [["CPUQuotaPeriodUSec", ["t", length]], ["CPUQuotaPerSecUSec", ["t", time]]];
}

/** Microseconds in a second, in whole percents. Rounded up: none gets less than was asked for. */
export function perSecond(quota: bigint, period: bigint): bigint {
  const exact = (quota * SECOND + period - 1n) / period;
  return (exact + PERCENT - 1n) / PERCENT * PERCENT;
}

/** Idle is a weight of 0 (systemd 252), which then takes the place of the other weight. */
function idle(value: string | undefined, properties: Property[]): Property[] {
  if (value !== "1") return properties;
  return [...properties.filter(([name]) => name !== "CPUWeight"), ["CPUWeight", ["t", 0n]]];
}

/** The kernel takes other shares for the nearest that it has; systemd refuses them. */
function clamped(name: string, value: bigint): bigint {
  if (name !== "CPUShares") return value;
  return value < MIN_SHARES ? MIN_SHARES : value > MAX_SHARES ? MAX_SHARES : value;
}

function inputOutput(settings: readonly Setting[]): Property[] {
  const lists = new Map<string, [string, bigint][]>();
  const properties: Property[] = [];
  for (const { forms, line } of settings) {
    const io = forms.find(({ file }) => file === "io.weight" || file === "io.max");
    if (io === undefined || line === undefined) continue;
    const [, value = ""] = io.value.split(" ");
    if (io.file === "io.weight" && line.key === "default") {
      properties.push(["IOWeight", ["t", BigInt(value)]]);
    } else {
      const [word = "", rate = value] = value.split("=");
      const name = io.file === "io.weight" ? "IODeviceWeight" : THROTTLES[word];
      if (name === undefined) continue;
      const list = lists.get(name) ?? [];
      lists.set(name, [...list, [`/dev/block/${line.key}`, amount(rate)]]);
    }
  }
  for (const [name, list] of lists) properties.push([name, ["a(st)", list]]);
  return properties;
}

const PREFIX = "org.systemd.property.";

/** Properties out of annotations `org.systemd.property.NAME`, with values as GVariant writes. */
export function annotationProperties(
  annotations: Readonly<Record<string, string>> | undefined,
): Property[] {
  return Object.entries(annotations ?? {}).flatMap(([key, text]) => {
    if (!key.startsWith(PREFIX)) return [];
    const name = key.slice(PREFIX.length);
    const configPath = `annotations[${JSON.stringify(key)}]`;
    if (!/^[A-Za-z]{3,}$/.test(name)) {
      throw new RuntsError(`set property ${quote(name)} of the unit`, {
        configPath,
        cause: "its name is made of other characters than letters",
      });
    }
    return [seconds(name, parseVariant(text, configPath))];
  });
}

/** Unit files have times in seconds (TimeoutStopSec), the bus has them in µs (TimeoutStopUSec). */
function seconds(name: string, value: BusValue): Property {
  if (!name.endsWith("Sec") || name.endsWith("USec")) return [name, value];
  const micros = BigInt(Math.round(Number(value[1]) * Number(SECOND)));
  return [`${name.slice(0, -"Sec".length)}USec`, ["t", micros]];
}

const TYPES: Readonly<Record<string, string>> = {
  boolean: "b",
  int32: "i",
  uint32: "u",
  int64: "x",
  uint64: "t",
  double: "d",
  string: "s",
};

/** Texts, numbers, truth values and lists of texts (GLib, "GVariant Text Format"). */
export function parseVariant(text: string, configPath: string): BusValue {
  const trimmed = text.trim();
  const [, word, typed] = /^([a-z]+[0-9]*)\s+(\S.*)$/s.exec(trimmed) ?? [];
  const type = word === undefined ? undefined : TYPES[word];
  if (typed !== undefined && type === undefined) throw unreadable(text, configPath);
  const body = typed ?? trimmed;
  if (/^(true|false)$/.test(body)) return [type ?? "b", body === "true"];
  const single = quoted(body);
  if (single !== undefined) return [type ?? "s", single];
  const [, sign, digits] = /^([+-]?)(0x[0-9a-f]+|[0-9]+)$/i.exec(body) ?? [];
  if (digits !== undefined) return [type ?? "i", BigInt(digits) * (sign === "-" ? -1n : 1n)];
  if (/^[+-]?[0-9]*\.[0-9]+$/.test(body)) return [type ?? "d", Number(body)];
  const [, inner] = /^\[(.*)\]$/s.exec(body) ?? [];
  if (inner === undefined) throw unreadable(text, configPath);
  const items = inner.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/gs) ?? [];
  const plain = inner.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/gs, "");
  if (/[^,\s]/.test(plain)) throw unreadable(text, configPath);
  return ["as", items.map((item) => quoted(item) ?? "")];
}

function quoted(text: string): string | undefined {
  const match = /^(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")$/s.exec(text);
  return (match?.[1] ?? match?.[2])?.replace(/\\(.)/gs, "$1");
}

function unreadable(text: string, configPath: string): RuntsError {
  return new RuntsError(`read ${quote(text)}`, {
    configPath,
    cause: "it is no value that GVariant writes",
    hint: "as 'text', true, uint64 5 or ['a', 'b']",
  });
}
