/** `explain --seccomp`: the filter that create would load. */

import { openBundle } from "../caller/bundle.ts";
import { inCommand } from "../runtime/command.ts";
import type { ExplainOptions } from "./explain.ts";
import type { RuntimeOrSettings } from "../runtime/runtime.ts";
import { seccompFilter } from "../seccomp/filter.ts";

/**
 * What becomes of every system call; with `instructions`, the program itself. Undefined when the
 * configuration has no filter.
 */
export function explainSeccomp(
  given: RuntimeOrSettings,
  options: ExplainOptions,
  instructions: boolean,
): Promise<string | undefined> {
  return inCommand(given, "explain", options.id, async (runtime) => {
    const { spec } = await openBundle(runtime, options);
    const filter = await seccompFilter(spec);
    if (filter === undefined) return undefined;
    const { describeFilter, listFilter } = await import("../seccomp/explain.ts");
    return instructions ? listFilter(filter) : describeFilter(filter);
  });
}
