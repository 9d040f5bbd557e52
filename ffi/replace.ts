/** Becoming another program: what few commands need of the helper library. */

import { check, cString, outside } from "./call.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/replace.h states it. */
export const REPLACE_SYMBOLS = {
  // int32_t rts_replace(const char *path, const char *words, uint32_t arguments, uint32_t variables, int32_t listening);
  rts_replace: { parameters: ["buffer", "buffer", "u32", "u32", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** A program, and what it is called with. */
interface Replacement {
  readonly path: string;
  /** All of argv. */
  readonly args: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  /** It becomes descriptor 3; all others are closed, but for the standard streams. */
  readonly listening: number;
}

/** Executes it in the place of this process. The helper must have been loaded. */
export function replaceProcess({ path, args, env, listening }: Replacement): never {
  const texts = [...args, ...env].map(cString);
  const words = outside(texts.reduce((sum, text) => sum + text.length, 0));
  let at = 0;
  for (const text of texts) {
    words.set(text, at);
    at += text.length;
  }
  const { rts_replace } = furtherFunctions(REPLACE_SYMBOLS);
  const result = rts_replace(cString(path), words, args.length, env.length, listening);
  check(result, `execute ${path}`);
  throw new Error("a program that was executed came back");
}
