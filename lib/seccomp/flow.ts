/** What is known at each instruction of a filter, whichever way leads there. */

import { Code, Data, type Instruction } from "./instructions.ts";

export interface Context {
  /** AUDIT_ARCH_* that a comparison has found; undefined when it may be any. */
  readonly architecture: number | undefined;
  /** Offset in struct seccomp_data of what the accumulator was loaded from. */
  readonly loaded: number | undefined;
}

const UNKNOWN: Context = { architecture: undefined, loaded: undefined };

/** Codes of comparisons, with the sign that is shown for them. */
export const COMPARISONS: Readonly<Record<number, string>> = {
  [Code.jumpEqual]: "==",
  [Code.jumpGreater]: ">",
  [Code.jumpGreaterEqual]: ">=",
  [Code.jumpBits]: "&",
};

/** One context for each instruction. */
export function contextsOf(program: readonly Instruction[]): Context[] {
  const contexts: Context[] = [UNKNOWN];
  // Jumps go forward only, so all that leads to an instruction is seen before it.
  program.forEach((instruction, at) => {
    contexts[at] ??= UNKNOWN;
    for (const [target, context] of successors(instruction, at, contexts[at])) {
      contexts[target] = joined(contexts[target], context);
    }
  });
  return contexts.slice(0, program.length);
}

/** AUDIT_ARCH_* of those that the program tells apart. */
export function architecturesIn(program: readonly Instruction[]): Set<number> {
  const contexts = contextsOf(program);
  return new Set(
    program.filter(({ code }, at) =>
      code === Code.jumpEqual && contexts[at]?.loaded === Data.architecture
    ).map(({ operand }) => operand),
  );
}

function successors(
  { code, yes, no, operand }: Instruction,
  at: number,
  context: Context,
): [target: number, context: Context][] {
  const next = at + 1;
  if (code === Code.return) return [];
  if (code === Code.jump) return [[next + operand, context]];
  if (code === Code.load) return [[next, { ...context, loaded: operand }]];
  if (!(code in COMPARISONS)) return [[next, context]];
  const found = code === Code.jumpEqual && context.loaded === Data.architecture;
  return [
    [next + yes, found ? { ...context, architecture: operand } : context],
    [next + no, context],
  ];
}

function joined(known: Context | undefined, more: Context): Context {
  if (known === undefined) return more;
  return {
    architecture: known.architecture === more.architecture ? more.architecture : undefined,
    loaded: known.loaded === more.loaded ? more.loaded : undefined,
  };
}
