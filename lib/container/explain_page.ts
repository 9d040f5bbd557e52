/** `explain --html`: the plan with what it was made from. */

import { openBundle } from "../caller/bundle.ts";
import { inCommand } from "../runtime/command.ts";
import type { RuntimeOrSettings } from "../runtime/runtime.ts";
import { seccompFilter } from "../seccomp/filter.ts";
import type { Spec } from "../spec/types/config.ts";
import { explainBundle, type ExplainOptions, type Explanation } from "./explain.ts";

/** A plan, the configuration that asks for it, and what becomes of system calls. */
export interface ExplainedPage extends Explanation {
  readonly id: string;
  readonly spec: Spec;
  /** Text of several lines; absent without a filter. */
  readonly seccomp?: string;
}

/** All that the page shows. */
export function explainPage(
  given: RuntimeOrSettings,
  options: ExplainOptions,
): Promise<ExplainedPage> {
  return inCommand(given, "explain", options.id, async (runtime) => {
    const bundle = await openBundle(runtime, options);
    const { spec } = bundle;
    const explanation = await explainBundle(runtime, options, bundle);
    const filter = await seccompFilter(spec);
    const { describeFilter } = await import("../seccomp/explain.ts");
    return {
      ...explanation,
      id: options.id,
      spec,
      ...(filter && { seccomp: describeFilter(filter) }),
    };
  });
}
