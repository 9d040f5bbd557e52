/**
 * What `create` would do, without doing it: every operation in its order, with the part of the configuration
 * that asks for it.
 *
 * ```ts
 * import { explain } from "@runts/runts/explain";
 *
 * const { steps } = await explain({}, { id: "web", bundle: "/bundles/web" });
 * for (const { stage, from, text } of steps) console.log(stage, from, text);
 * ```
 *
 * @module
 */

export { explain, STAGES } from "./lib/container/explain.ts";
export type {
  ExplainOptions,
  Explanation,
  Operation,
  Stage,
  Step,
} from "./lib/container/explain.ts";
export type {
  CreateOptions,
  StreamTarget,
  StreamTargets,
  WaitOptions,
} from "./lib/caller/options.ts";
export type { Changes } from "./lib/spec/changes.ts";
export { Runtime } from "./lib/runtime/runtime.ts";
export type { RuntimeOrSettings, RuntimeSettings } from "./lib/runtime/runtime.ts";
export { explainSeccomp } from "./lib/container/explain_seccomp.ts";
