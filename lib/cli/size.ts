/** Sizes and times as people write them. */

import { quote, RuntsError } from "../base/errors.ts";

const UNITS = "kmgtp";

/**
 * `512m`, `1.5GiB`, `4096`, `-1`: bytes, by powers of 1024. Sizes beyond 2^53 are bigints.
 * Throws RuntsError that names `what`.
 */
export function parseSize(what: string, text: string): number | bigint {
  if (text === "-1") return -1;
  const match = /^(\d{1,19})(\.\d{1,6})?(?: ?(?=\S)([kmgtp]?)(i?b)?)?$/i.exec(text);
  if (match === null) throw new RuntsError(`${what}: ${quote(text)} is not a size`, { hint: SIZE });
  const [, digits = "", fraction = "", unit = ""] = match;
  const shift = unit === "" ? 0 : 10 * (UNITS.indexOf(unit.toLowerCase()) + 1);
  return fraction === ""
    ? narrow(BigInt(digits) << BigInt(shift))
    : narrow(BigInt(Math.floor(Number(digits + fraction) * 2 ** shift)));
}

const SIZE = 'as "512m", "1.5g" or a number of bytes';

/** A whole number, also a negative one; beyond 2^53 a bigint. */
export function parseInteger(what: string, text: string): number | bigint {
  if (/^[+-]?\d{1,20}$/.test(text)) return narrow(BigInt(text.replace("+", "")));
  throw new RuntsError(`${what}: ${quote(text)} is not a whole number`);
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5 };

/** `500ms`, `5s`, `1m30s`, or a number of seconds: milliseconds, of which `least` are needed. */
export function parseDuration(what: string, text: string, least = 1): number {
  const spelt = /^\d+(\.\d+)?$/.test(text) ? `${text}s` : text;
  const parts = [...spelt.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  const whole = parts.map(([part]) => part).join("") === spelt;
  const total = parts.reduce((sum, [, n, unit]) => sum + Number(n) * MILLISECONDS[unit!]!, 0);
  if (whole && total >= least) return total;
  throw new RuntsError(`${what}: ${quote(text)} is not a duration`, { hint: 'as "500ms" or "5s"' });
}

/** A time of RFC 3339, seconds since 1970, or how long ago it was (`10m`). */
export function parseTime(what: string, text: string, now = Date.now()): Date {
  if (/^\d+(ms|s|m|h)(\d|$)/.test(text)) return new Date(now - parseDuration(what, text));
  const time = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (!Number.isNaN(time)) return new Date(time);
  const hint = 'as "2026-11-30T10:00:00Z", or "10m" ago';
  throw new RuntsError(`${what}: ${quote(text)} is not a time`, { hint });
}

/** `1.5 GiB`; three digits are enough to compare by eye. */
export function formatSize(bytes: number | bigint): string {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < 5) {
    value /= 1024;
    unit++;
  }
  const name = unit === 0 ? "B" : `${UNITS[unit - 1]!.toUpperCase()}iB`;
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${name}`;
}
