/** The size of the caller's terminal: what a new terminal gets unless the configuration says. */

import type { Helper } from "../../ffi/helper.ts";

/** Characters; undefined when none of the standard streams is a terminal. */
export function callerSize(helper: Helper): { height: number; width: number } | undefined {
  const fd = [0, 1, 2].find((fd) => helper.isTerminal(fd));
  if (fd === undefined) return undefined;
  const { rows, cols } = helper.windowSize(fd);
  return { height: rows, width: cols };
}
