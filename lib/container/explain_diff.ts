/** `explain --diff`: what changes from one configuration to another. */

import { openBundle } from "../caller/bundle.ts";
import { inCommand } from "../runtime/command.ts";
import type { Runtime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { type Change, changesOf } from "../base/difference.ts";
import { isDirectory } from "../base/files.ts";
import { absolute } from "../base/absolute.ts";
import { type ConfigChange, configChanges } from "../spec/difference.ts";
import type { Spec } from "../spec/types/config.ts";
import { explainBundle, type ExplainOptions, type Stage, STAGES, type Step } from "./explain.ts";

/** What {@linkcode explainDiff} compares. */
interface DiffOptions extends Pick<ExplainOptions, "id" | "bundle" | "noPivot"> {
  /** Bundles, or configurations; those are of the bundle `bundle`, else of the directory that they are in. */
  readonly before: string;
  readonly after: string;
}

/** A step that there is in one of them alone. */
interface StepChange extends Pick<Step, "stage" | "from" | "text"> {
  readonly change: Change;
}

/** Both empty where nothing changes. */
export interface Differences {
  /** In the order of the paths. */
  readonly config: readonly ConfigChange[];
  /** Stage by stage, in the order in which they are done. */
  readonly steps: readonly StepChange[];
}

/** One of the two. */
interface Side {
  readonly spec: Spec;
  readonly steps: readonly Step[];
  /** Texts that differ with the place of the bundle alone are the same. */
  readonly bundle: string;
}

/** Compares what they say, and what `create` would do. */
export function explainDiff(
  given: RuntimeOrSettings,
  { before, after, ...options }: DiffOptions,
): Promise<Differences> {
  return inCommand(given, "explain", options.id, async (runtime) => {
    const old = await sideOf(runtime, options, before);
    const now = await sideOf(runtime, options, after);
    return {
      config: configChanges(old.spec, now.spec),
      steps: STAGES.flatMap((stage) => stageChanges(stage, old, now)),
    };
  });
}

async function sideOf(
  runtime: Runtime,
  { bundle, ...options }: Omit<DiffOptions, "before" | "after">,
  place: string,
): Promise<Side> {
  const path = absolute(runtime.caller, place);
  const own = isDirectory(path)
    ? { ...options, bundle: path }
    : { ...options, bundle: bundle ?? path.replace(/\/[^/]*$/, "/"), config: path };
  const opened = await openBundle(runtime, own);
  const { steps } = await explainBundle(runtime, own, opened);
  return { spec: opened.spec, steps, bundle: opened.path };
}

function stageChanges(stage: Stage, before: Side, after: Side): StepChange[] {
  const own = ({ steps }: Side) => steps.filter((step) => step.stage === stage);
  const key = ({ bundle }: Side) => ({ text, op }: Step) => {
    const filter = op?.["filter"];
    const program = filter instanceof Uint8Array ? filter.toHex() : "";
    return `${text.replaceAll(bundle, "")}${program}`;
  };
  return changesOf(own(before), own(after), key(before), key(after))
    .map(({ change, item: { from, text } }) => ({ change, stage, from, text }));
}
