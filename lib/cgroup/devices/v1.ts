/**
 * Device rules on v1: the devices controller holds a default and exceptions from it
 * (Documentation/admin-guide/cgroup-v1/devices.rst of Linux). The rules are applied here first,
 * and only the result is written: rules that change nothing never reach the kernel.
 */

import { RuntsError } from "../../base/errors.ts";
import { accessText, isTotal, type Rule } from "./rules.ts";

/** What a devices cgroup holds. */
interface DeviceState {
  /** Whether devices without an exception may be used. */
  readonly allowAll: boolean;
  /** Access bits by `c 1:3`, `b 8:*`. */
  readonly exceptions: ReadonlyMap<string, number>;
}

/** One write to devices.allow or devices.deny. */
interface DeviceWrite {
  readonly file: "devices.allow" | "devices.deny";
  readonly value: string;
}

interface Draft {
  allowAll: boolean;
  readonly exceptions: Map<string, number>;
}

/** The result of rules, starting from nothing allowed. Errors name the rule in `prefix`devices. */
export function deviceState(rules: readonly Rule[], prefix: string): DeviceState {
  const draft: Draft = { allowAll: false, exceptions: new Map() };
  for (const [index, rule] of rules.entries()) {
    if (isTotal(rule)) {
      draft.allowAll = rule.allow;
      draft.exceptions.clear();
      continue;
    }
    const types = rule.type === "a" ? ["c", "b"] as const : [rule.type];
    for (const type of types) {
      if (rule.allow === draft.allowAll) narrow(draft, { ...rule, type }, `${prefix}[${index}]`);
      else widen(draft, { ...rule, type });
    }
  }
  return draft;
}

/** Adds an exception from the default. */
function widen({ exceptions }: Draft, rule: Rule): void {
  const key = keyOf(rule);
  exceptions.set(key, (exceptions.get(key) ?? 0) | rule.access);
}

/** The rule says what the default says: it takes away from exceptions. */
function narrow({ exceptions }: Draft, rule: Rule, configPath: string): void {
  for (const [key, access] of exceptions) {
    if ((access & rule.access) === 0) continue;
    if (covers(keyOf(rule), key)) {
      const rest = access & ~rule.access;
      if (rest === 0) exceptions.delete(key);
      else exceptions.set(key, rest);
    } else if (covers(key, keyOf(rule))) {
      throw new RuntsError(`apply a rule for device "${keyOf(rule)}"`, {
        configPath,
        cause: `cgroup v1 cannot make an exception from the exception "${key}" before it`,
        hint: "name the devices of the wider rule one by one",
      });
    }
  }
}

/** Whether every device of `key` is one of `pattern`. */
function covers(pattern: string, key: string): boolean {
  const [type, major, minor] = pattern.split(/[ :]/);
  const [ofType, ofMajor, ofMinor] = key.split(/[ :]/);
  return type === ofType && (major === "*" || major === ofMajor) &&
    (minor === "*" || minor === ofMinor);
}

function keyOf({ type, major, minor }: Rule): string {
  return `${type} ${major === -1 ? "*" : major}:${minor === -1 ? "*" : minor}`;
}

/** Reads devices.list. While everything is allowed the kernel lists no exceptions. */
export function parseDevicesList(text: string): DeviceState {
  const exceptions = new Map<string, number>();
  let allowAll = false;
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [type = "", numbers = "", access = ""] = line.split(" ");
    if (type === "a") allowAll = true;
    else exceptions.set(`${type} ${numbers}`, bitsOf(access));
  }
  return { allowAll, exceptions };
}

function bitsOf(access: string): number {
  return (access.includes("m") ? 1 : 0) | (access.includes("r") ? 2 : 0) |
    (access.includes("w") ? 4 : 0);
}

/**
 * What leads from one state to another. Where the default stays, what is in both is never
 * touched, so that a device in use does not lapse for an instant. A default that changes clears
 * the kernel's exceptions. Exceptions from "all allowed" cannot be read: older ones stay.
 */
export function deviceWrites(from: DeviceState, to: DeviceState): DeviceWrite[] {
  const add = to.allowAll ? "devices.deny" : "devices.allow";
  const take = to.allowAll ? "devices.allow" : "devices.deny";
  const writes: DeviceWrite[] = [];
  const write = (file: DeviceWrite["file"], key: string, access: number) => {
    if (access !== 0) writes.push({ file, value: `${key} ${accessText(access)}` });
  };
  const anew = from.allowAll !== to.allowAll;
  if (anew) writes.push({ file: take, value: "a" });
  const known = anew ? new Map<string, number>() : from.exceptions;
  for (const [key, access] of to.exceptions) write(add, key, access & ~(known.get(key) ?? 0));
  for (const [key, access] of known) write(take, key, access & ~(to.exceptions.get(key) ?? 0));
  return writes;
}
