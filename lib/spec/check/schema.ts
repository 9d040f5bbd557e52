/**
 * The little language in which the tables of the validation are written, and its interpreter.
 * Unknown properties are ignored, unless somebody guesses what was meant, and null counts as absent (config.md,
 * "Extensibility"; Go writes empty lists as null).
 */

import { quote } from "../../base/errors.ts";
import { type Finding, type Guess, type Rule, Walk } from "./findings.ts";
import { isObject } from "../json/exact.ts";

/** What a value must be. */
type Schema = Leaf | ObjectSchema | ListSchema | MapSchema | NameSchema;

/** Looks at one value and reports its faults. */
type Leaf = (value: unknown, walk: Walk) => void;

export interface ObjectSchema {
  readonly required?: readonly string[];
  readonly fields: Readonly<Record<string, Schema>>;
  readonly rules?: readonly ObjectRule[];
}

/** A rule about an object; it is checked if one of its properties is there and none is at fault. */
interface ObjectRule {
  readonly of: readonly string[];
  // deno-lint-ignore no-explicit-any -- the schema has checked that the object fits its type
  readonly check: (value: any, walk: Walk) => void;
}

export interface ListSchema {
  readonly items: Schema;
  /** Fewest entries. */
  readonly least?: number;
  /** What no two entries may have in common; undefined for entries that are exempt. */
  readonly unique?: (item: Record<string, unknown>) => unknown;
}

/** An object with keys of the user's choice. */
interface MapSchema {
  readonly values: Schema;
  /** Reports the faults of a key, at the place of its value. */
  readonly keys?: (key: string, value: unknown, walk: Walk) => void;
}

/** One of a list of names. */
interface NameSchema {
  readonly names: readonly string[];
}

/**
 * All faults of a document. Takes any JSON value. `meant`: guesses which of the known properties an
 * unknown one was meant to be; with it, every unknown one is told.
 */
export function findingsOf(schema: Schema, document: unknown, meant?: Guess): Finding[] {
  const walk = new Walk(document, meant);
  checkSchema(schema, document, walk);
  return walk.findings;
}

/** Looks at a value and all that is in it. */
function checkSchema(schema: Schema, value: unknown, walk: Walk): void {
  if (typeof schema === "function") schema(value, walk);
  else if ("names" in schema) checkName(schema, value, walk);
  else if ("items" in schema) checkList(schema, value, walk);
  else if (!isObject(value)) walk.report("type", value, "is not an object");
  else if ("values" in schema) checkMap(schema, value, walk);
  else checkObject(schema, value, walk);
}

function checkObject(schema: ObjectSchema, value: Record<string, unknown>, walk: Walk): void {
  const { fields, required, rules } = schema;
  let faulty: string[] | undefined;
  let nulls = false;
  for (const key of Object.keys(fields)) {
    const before = walk.findings.length;
    const part = value[key];
    if (part !== undefined && part !== null) {
      walk.place.push(key);
      checkSchema(fields[key] as Schema, part, walk);
      walk.place.pop();
    } else {
      nulls ||= part === null;
      if (required?.includes(key)) reportMissing(key, value, walk);
    }
    if (walk.findings.length > before) (faulty ??= []).push(key);
  }
  if (walk.meant) reportUnknown(fields, value, walk);
  if (!rules) return;
  if (nulls) value = Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null));
  for (const rule of rules) {
    if (faulty && rule.of.some((key) => faulty.includes(key))) continue;
    if (rule.of.some((key) => value[key] !== undefined)) rule.check(value, walk);
  }
}

function reportMissing(key: string, value: Record<string, unknown>, walk: Walk): void {
  const same = (other: string) => other.toLowerCase() === key.toLowerCase() && other !== key;
  const other = Object.keys(value).find(same);
  const fault = other === undefined
    ? ""
    : `: keys are case-sensitive, and this one is ${quote(other)}`;
  walk.report("required", undefined, `is required${fault}`, key);
}

function reportUnknown(
  fields: ObjectSchema["fields"],
  value: Record<string, unknown>,
  walk: Walk,
): void {
  const absent = Object.keys(fields).filter((key) => !Object.hasOwn(value, key));
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(fields, key)) continue;
    const meant = walk.meant?.(key, absent);
    const guess = meant === undefined ? "" : `: did you mean ${quote(meant)}?`;
    walk.report("unknown", undefined, `is an unknown property${guess}`, key);
  }
}

function checkList(schema: ListSchema, value: unknown, walk: Walk): void {
  if (!Array.isArray(value)) return walk.report("type", value, "is not an array");
  if (value.length < (schema.least ?? 0)) walk.report("required", value, "has no entry");
  const { items, unique } = schema;
  const depth = walk.place.push(0) - 1;
  for (let index = 0; index < value.length; index++) {
    walk.place[depth] = index;
    checkSchema(items, value[index], walk);
  }
  walk.place.pop();
  if (unique && value.length > 1) checkUnique(unique, value, walk);
}

function checkUnique(
  unique: NonNullable<ListSchema["unique"]>,
  list: readonly unknown[],
  walk: Walk,
): void {
  const seen = new Set<unknown>();
  for (const [index, item] of list.entries()) {
    const mark = isObject(item) ? unique(item) : undefined;
    if (typeof mark !== "string") continue;
    if (seen.has(mark)) walk.report("duplicate", mark, "appears more than once", index);
    seen.add(mark);
  }
}

function checkMap(schema: MapSchema, value: Record<string, unknown>, walk: Walk): void {
  for (const [key, part] of Object.entries(value)) {
    if (part === null) continue;
    walk.place.push(key);
    schema.keys?.(key, part, walk);
    checkSchema(schema.values, part, walk);
    walk.place.pop();
  }
}

function checkName(schema: NameSchema, value: unknown, walk: Walk): void {
  const { names } = schema;
  if (typeof value !== "string") walk.report("type", value, "is not a string");
  else if (!names.includes(value)) {
    // A line with more names than these does not help a reader.
    const known = names.length < 10 ? `not one of ${names.filter(Boolean).join(", ")}` : "unknown";
    walk.report("name", value, `is ${known}`);
  }
}

export function boolean(value: unknown, walk: Walk): void {
  if (typeof value !== "boolean") walk.report("type", value, "is not true or false");
}

/** Text that a system call can take. */
export function text(value: unknown, walk: Walk): void {
  if (typeof value !== "string" || value.includes("\0")) isText(value, walk);
}

/** Text with at least one character. */
export function someText(value: unknown, walk: Walk): void {
  if (isText(value, walk) && value === "") walk.report("required", value, "is empty");
}

export function absolutePath(value: unknown, walk: Walk): void {
  if (isText(value, walk) && !value.startsWith("/")) {
    walk.report("format", value, "is not an absolute path");
  }
}

/** An absolute path, or nothing. */
export function optionalPath(value: unknown, walk: Walk): void {
  if (value !== "") absolutePath(value, walk);
}

/** Reports what is no text; true for text without NUL. */
export function isText(value: unknown, walk: Walk): value is string {
  if (typeof value !== "string") {
    walk.report("type", value, "is not a string");
    return false;
  }
  if (!value.includes("\0")) return true;
  walk.report("format", value, "contains a NUL character");
  return false;
}

/** Text of the form of a pattern; `form` ends the sentence `"x" is not …`. */
export function matching(pattern: RegExp, form: string, rule: Rule = "format"): Leaf {
  return (value, walk) => {
    if (isText(value, walk) && !pattern.test(value)) walk.report(rule, value, `is not ${form}`);
  };
}

/** Numbers of CPUs or memory nodes, as `0-3,7` (config-linux.md, "CPU"). */
export function numberList(value: unknown, walk: Walk): void {
  if (!isText(value, walk)) return;
  for (const part of value.trim() === "" ? [] : value.split(",")) {
    const match = /^\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*$/.exec(part);
    if (!match) return walk.report("format", value, "is not a list of numbers as 0-3,7");
    if (match[2] !== undefined && Number(match[1]) > Number(match[2])) {
      return walk.report("format", value, "has a range that ends before it begins");
    }
  }
}

/** A whole number within limits that are below 2^53. */
export function whole(first: number, last: number): Leaf {
  return (value, walk) => {
    if (!isWhole(value, walk)) return;
    // A bigint is beyond 2^53, or would be a surprise to those who calculate with it.
    if (typeof value === "bigint" || value < first || value > last) {
      walk.report("range", value, `is not between ${first} and ${last}`);
    }
  };
}

export const uint16: Leaf = whole(0, 0xffff);
export const uint32: Leaf = whole(0, 0xffffffff);

/** A number that has been rounded to 2^64 may have been one that fits. */
export function uint64(value: unknown, walk: Walk): void {
  if (!isWhole(value, walk)) return;
  if (value < 0 || (typeof value === "bigint" ? value > 0xffffffffffffffffn : value > 2 ** 64)) {
    walk.report("range", value, "is not between 0 and 18446744073709551615");
  }
}

export function int64(value: unknown, walk: Walk): void {
  if (!isWhole(value, walk)) return;
  if (value < -(2 ** 63) || (typeof value === "bigint" ? value >= 2 ** 63 : value > 2 ** 63)) {
    walk.report("range", value, "does not fit into 64 bits");
  }
}

/** An int64 of which -1 is the least. */
export function limit64(value: unknown, walk: Walk): void {
  if (Number.isInteger(value) && value as number < -1) {
    walk.report("range", value, "is less than -1");
  } else int64(value, walk);
}

function isWhole(value: unknown, walk: Walk): value is number | bigint {
  if (typeof value === "bigint" || Number.isInteger(value)) return true;
  walk.report("type", value, "is not a whole number");
  return false;
}
