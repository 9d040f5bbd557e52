/** How a piece of script is compiled: alike when it runs and when its code is cached. */

import type { Span } from "./executable.ts";

/** The script whose value is the piece as a function. */
export function asFunction(text: string): string {
  return `(function($runts,require){${text}})`;
}

/** The name of the script, which its cached code is found by. */
export function specifierOf([offset]: Span): string {
  return `file:///runts/${offset}.js`;
}
