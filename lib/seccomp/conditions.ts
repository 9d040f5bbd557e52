/** Conditions on the arguments of a system call, in words. */

import { ALL, type Comparison, type Path } from "./branches.ts";

/**
 * What must hold on a path, as `arg0 & 0x7e020000 == 0x0 and arg1 > 0x5`; empty for no condition.
 *
 * @param is64 whether arguments have 64 bits, all of which matter
 */
export function describeConditions({ comparisons }: Path, is64: boolean): string {
  const parts: string[] = [];
  for (let argument = 0; argument < 6; argument++) {
    const about = comparisons.filter((comparison) => comparison.argument === argument);
    const upper = withoutImplied(about.filter(({ upper }) => upper));
    const lower = withoutImplied(about.filter(({ upper }) => !upper));
    const name = `arg${argument}`;
    if (is64 || upper.length > 0) parts.push(...describeArgument(name, upper, lower));
    else parts.push(...lower.map((comparison) => describeHalf(name, comparison)));
  }
  return parts.join(" and ");
}

/** What an equality says already is left out. */
function withoutImplied(comparisons: readonly Comparison[]): readonly Comparison[] {
  const equal = comparisons.find(({ operator, mask }) => operator === "==" && mask === ALL);
  return equal ? [equal] : comparisons;
}

function describeArgument(
  name: string,
  upper: readonly Comparison[],
  lower: readonly Comparison[],
): string[] {
  const [only] = upper;
  const [low] = lower;
  const isEqual = upper.length === 1 && only!.operator === "==";
  if (isEqual && lower.length === 1 && low!.operator === "==") {
    const mask = wide(only!.mask, low!.mask);
    const masking = only!.mask === ALL && low!.mask === ALL ? "" : ` & ${hex(mask)}`;
    return [`${name}${masking} == ${hex(wide(only!.value, low!.value))}`];
  }
  // With nothing in its upper half an argument is what its lower half is.
  if (isEqual && only!.value === 0 && lower.length > 0 && only!.mask === ALL) {
    return lower.map((comparison) => describeHalf(name, comparison));
  }
  // A mask that begins in the lower half: the upper one was looked at for nothing.
  const vacuous = isEqual && only!.mask === 0 && only!.value === 0;
  return [
    ...(vacuous ? [] : upper.map((comparison) => describeHalf(`${name} >> 32`, comparison))),
    ...lower.map((comparison) => describeHalf(`(u32) ${name}`, comparison)),
  ];
}

function describeHalf(name: string, { mask, operator, value }: Comparison): string {
  const shown = mask === ALL ? name : `${name} & ${hex(mask)}`;
  if (operator === "has") return `${shown} & ${hex(value)} != 0x0`;
  if (operator === "lacks") return `${shown} & ${hex(value)} == 0x0`;
  return `${shown} ${operator} ${hex(value)}`;
}

function wide(upper: number, lower: number): bigint {
  return BigInt(upper) << 32n | BigInt(lower);
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
