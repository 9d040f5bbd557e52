/** The instructions of a filter, one a line. */

import { Code, Data, type Instruction } from "./instructions.ts";
import { COMPARISONS, type Context, contextsOf } from "./flow.ts";

/** Names of numbers. */
export interface Names {
  architecture(token: number): string | undefined;
  syscall(architecture: number, number: number): string | undefined;
  /** A return value in words. */
  action(value: number): string;
}

/** Lines such as `  12  if == 257 (openat): go to 40, else 13`. */
export function disassemble(program: readonly Instruction[], names: Names): string[] {
  const contexts = contextsOf(program);
  const width = String(program.length).length;
  return program.map((instruction, at) =>
    `${String(at).padStart(width)}  ${describe(instruction, at, contexts[at]!, names)}`
  );
}

function describe(
  { code, yes, no, operand }: Instruction,
  at: number,
  context: Context,
  names: Names,
): string {
  if (code === Code.return) return `return ${names.action(operand)}`;
  if (code === Code.jump) return `go to ${at + 1 + operand}`;
  if (code === Code.load) return `load ${wordName(operand)}`;
  if (code === Code.and) return `and 0x${operand.toString(16)}`;
  const sign = COMPARISONS[code];
  if (sign === undefined) {
    return `code 0x${code.toString(16)}, 0x${operand.toString(16)}, ${yes}, ${no}`;
  }
  const value = valueName(operand, context, names);
  return `if ${sign} ${value}: go to ${at + 1 + yes}, else ${at + 1 + no}`;
}

function wordName(offset: number): string {
  if (offset === Data.number) return "the number";
  if (offset === Data.architecture) return "the architecture";
  const place = offset - Data.arguments;
  if (place < 0) return `the word at ${offset}`;
  return place % 8 === 4 ? `arg${place >> 3} >> 32` : `(u32) arg${place >> 3}`;
}

function valueName(value: number, { architecture, loaded }: Context, names: Names): string {
  const name = loaded === Data.architecture
    ? names.architecture(value)
    : loaded === Data.number && architecture !== undefined
    ? names.syscall(architecture, value)
    : undefined;
  return name ?? (loaded === Data.number ? String(value) : `0x${value.toString(16)}`);
}
