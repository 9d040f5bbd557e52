/** Which devices a container may use: rules of linux.resources.devices and those always allowed. */

import { quote, RuntsError } from "../../base/errors.ts";
import type { DeviceRule } from "../../spec/types/config.ts";

/** Bits of access, as BPF_DEVCG_ACC_* of linux/bpf.h. */
export const MKNOD = 1;
export const READ = 2;
export const WRITE = 4;
export const ALL_ACCESS = MKNOD | READ | WRITE;

/** A rule in one form: -1 is any number, "a" any type. */
export interface Rule {
  readonly allow: boolean;
  readonly type: "a" | "c" | "b";
  readonly major: number;
  readonly minor: number;
  readonly access: number;
}

const LETTERS: Readonly<Record<string, number>> = { m: MKNOD, r: READ, w: WRITE, a: ALL_ACCESS };

/**
 * What every container has, whatever its rules say: making nodes (using them is another matter),
 * the devices that the specification demands, pseudo terminals and tun. A container's console is a
 * pseudo terminal; 5:1 is that of the host.
 */
const ALWAYS: readonly Rule[] = [
  allowed("c", -1, -1, MKNOD),
  allowed("b", -1, -1, MKNOD),
  allowed("c", 1, 3), // null
  allowed("c", 1, 5), // zero
  allowed("c", 1, 7), // full
  allowed("c", 1, 8), // random
  allowed("c", 1, 9), // urandom
  allowed("c", 5, 0), // tty
  allowed("c", 5, 2), // ptmx
  allowed("c", 136, -1), // pts/*
  allowed("c", 10, 200), // net/tun
];

function allowed(type: "c" | "b", major: number, minor: number, access = ALL_ACCESS): Rule {
  return { allow: true, type, major, minor, access };
}

/** All rules, to be applied in order to a container that may use nothing. */
export function deviceRules(rules: readonly DeviceRule[] | undefined, prefix: string): Rule[] {
  return [...exactDeviceRules(rules ?? [], prefix), ...ALWAYS];
}

/** The rules alone: nothing is allowed beside them. */
export function exactDeviceRules(rules: readonly DeviceRule[], prefix: string): Rule[] {
  return rules.map((rule, index) => parse(rule, `${prefix}devices[${index}]`));
}

function parse(rule: DeviceRule, configPath: string): Rule {
  const { allow = false, type = "a", major = -1, minor = -1 } = rule;
  for (const number of [major, minor]) {
    // -1 is any; the kernel's numbers have 12 and 20 bits.
    if (!Number.isInteger(number) || number < -1 || number >= 2 ** 20) {
      throw new RuntsError("read device rule", {
        configPath,
        cause: `${number} is no device number`,
      });
    }
  }
  return { allow, type, major, minor, access: parseAccess(rule.access || "rwm", configPath) };
}

function parseAccess(access: string, configPath: string): number {
  let bits = 0;
  for (const letter of access) {
    const bit = LETTERS[letter];
    if (bit === undefined) {
      throw new RuntsError("read device rule", {
        configPath: `${configPath}.access`,
        cause: `${quote(access)} has other letters than r, w, m and a`,
      });
    }
    bits |= bit;
  }
  return bits;
}

/** `rwm` for the bits, in the order that the kernel prints. */
export function accessText(bits: number): string {
  return (bits & READ ? "r" : "") + (bits & WRITE ? "w" : "") + (bits & MKNOD ? "m" : "");
}

/** Whether the rule is about every device and every access. */
export function isTotal({ type, major, minor, access }: Rule): boolean {
  return type === "a" && major === -1 && minor === -1 && access === ALL_ACCESS;
}
