/** What a filter can answer to a system call, with the arguments left open. */

import { Code, Data, type Instruction } from "./instructions.ts";

/** Half of an argument of a system call. */
interface Half {
  /** 0 to 5. */
  readonly argument: number;
  readonly upper: boolean;
  /** Bits that are looked at. */
  readonly mask: number;
}

/** One comparison on the way to an answer. */
export interface Comparison extends Half {
  readonly operator: "==" | "!=" | ">" | "<=" | ">=" | "<" | "has" | "lacks";
  readonly value: number;
}

/** An answer and all that must hold for it; exactly one path holds for any arguments. */
export interface Path {
  readonly comparisons: readonly Comparison[];
  /** SECCOMP_RET_*. */
  readonly value: number;
}

/** What a comparison is, and what it is if it does not hold. */
const OPERATORS: Readonly<
  Record<number, readonly [yes: Comparison["operator"], no: Comparison["operator"]]>
> = {
  [Code.jumpEqual]: ["==", "!="],
  [Code.jumpGreater]: [">", "<="],
  [Code.jumpGreaterEqual]: [">=", "<"],
  [Code.jumpBits]: ["has", "lacks"],
};

const PATHS_MAX = 256;
/** The mask of a half that is looked at as a whole. */
export const ALL = 0xffffffff;

/**
 * All answers to a system call. Undefined if there are very many, or if the program has instructions
 * that libseccomp never makes.
 *
 * @param architecture AUDIT_ARCH_*
 */
export function pathsOf(
  program: readonly Instruction[],
  architecture: number,
  number: number,
): Path[] | undefined {
  const paths: Path[] = [];
  const open: State[] = [{ at: 0, accumulator: 0, comparisons: [] }];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const instruction = program[state.at];
    if (instruction === undefined || paths.length + open.length > PATHS_MAX) return undefined;
    const { code, operand } = instruction;
    const next = state.at + 1;
    if (code === Code.return) {
      paths.push({ comparisons: state.comparisons, value: operand });
    } else if (code === Code.jump) {
      open.push({ ...state, at: next + operand });
    } else if (code === Code.load) {
      const accumulator = loaded(operand, architecture, number);
      if (accumulator === undefined) return undefined;
      open.push({ ...state, at: next, accumulator });
    } else if (code === Code.and) {
      open.push({ ...state, at: next, accumulator: masked(state.accumulator, operand) });
    } else if (code in OPERATORS) {
      open.push(...branches(state, instruction));
    } else {
      return undefined;
    }
  }
  return paths;
}

interface State {
  readonly at: number;
  readonly accumulator: number | Half;
  readonly comparisons: readonly Comparison[];
}

function loaded(offset: number, architecture: number, number: number): number | Half | undefined {
  if (offset === Data.number) return number >>> 0;
  if (offset === Data.architecture) return architecture;
  const place = offset - Data.arguments;
  if (place < 0 || place % 4 !== 0 || place >= 6 * 8) return undefined;
  return { argument: place >> 3, upper: place % 8 === 4, mask: ALL };
}

function masked(accumulator: number | Half, mask: number): number | Half {
  return typeof accumulator === "number"
    ? (accumulator & mask) >>> 0
    : { ...accumulator, mask: (accumulator.mask & mask) >>> 0 };
}

/** The ways on: one if the outcome is known, or follows from what came before. */
function branches(state: State, { code, yes, no, operand }: Instruction): State[] {
  const { accumulator, comparisons } = state;
  const [holds, fails] = OPERATORS[code]!;
  const way = (skip: number, more: Comparison[]): State => ({
    ...state,
    at: state.at + 1 + skip,
    comparisons: [...comparisons, ...more],
  });
  if (typeof accumulator === "number") {
    return [way(compare(accumulator, holds, operand) ? yes : no, [])];
  }
  const outcome = decided(accumulator, holds, operand, comparisons);
  if (outcome !== undefined) return [way(outcome ? yes : no, [])];
  return [
    way(no, [narrowed({ ...accumulator, operator: fails, value: operand }, comparisons)]),
    way(yes, [narrowed({ ...accumulator, operator: holds, value: operand }, comparisons)]),
  ];
}

/** An equality, if the comparison and those before leave one value. */
function narrowed(comparison: Comparison, comparisons: readonly Comparison[]): Comparison {
  const { low, high } = rangeOf([...aboutHalf(comparison, comparisons), comparison]);
  return low === high ? { ...comparison, operator: "==", value: low, mask: ALL } : comparison;
}

function aboutHalf({ argument, upper }: Half, comparisons: readonly Comparison[]): Comparison[] {
  return comparisons.filter((other) => other.argument === argument && other.upper === upper);
}

/** What a comparison gives, if those before leave no choice. */
function decided(
  half: Half,
  operator: Comparison["operator"],
  value: number,
  comparisons: readonly Comparison[],
): boolean | undefined {
  const about = aboutHalf(half, comparisons);
  const same = about.find(({ mask, operator }) =>
    operator === "==" && ((mask & half.mask) >>> 0) === half.mask
  );
  if (same) return compare((same.value & half.mask) >>> 0, operator, value);
  if (half.mask !== ALL) return undefined;
  const { low, high } = rangeOf(about);
  const [first, last] = [compare(low, operator, value), compare(high, operator, value)];
  if (low === high) return first;
  if (operator === "==") return value < low || value > high ? false : undefined;
  return operator !== "has" && first === last ? first : undefined;
}

/** The least and the greatest value that whole comparisons leave. */
function rangeOf(comparisons: readonly Comparison[]): { low: number; high: number } {
  let [low, high] = [0, ALL];
  for (const { operator, value, mask } of comparisons) {
    if (mask !== ALL) continue;
    if (operator === "==") low = high = value;
    else if (operator === ">") low = Math.max(low, value + 1);
    else if (operator === ">=") low = Math.max(low, value);
    else if (operator === "<") high = Math.min(high, value - 1);
    else if (operator === "<=") high = Math.min(high, value);
    else if (operator === "!=" && value === low) low++;
    else if (operator === "!=" && value === high) high--;
  }
  return { low, high };
}

/** Whether a comparison of 32-bit values holds. */
export function compare(left: number, operator: Comparison["operator"], right: number): boolean {
  switch (operator) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case ">":
      return left > right;
    case "<=":
      return left <= right;
    case ">=":
      return left >= right;
    case "<":
      return left < right;
    case "has":
      return (left & right) !== 0;
    case "lacks":
      return (left & right) === 0;
  }
}
