/** `spec`: writes a configuration to start from. */

import { pathFrom } from "../base/paths.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { absolute } from "../base/absolute.ts";
import { hostTemplate } from "../caller/given_spec.ts";
import { runtimeOf, type RuntimeOrSettings } from "../runtime/runtime.ts";
import { specText } from "../spec/template.ts";

/** What {@linkcode writeSpec} takes. */
export interface SpecOptions {
  /** Directory of the bundle; default: the working directory. */
  readonly bundle?: string;
  /** File to write, if not config.json; relative to the bundle. */
  readonly file?: string;
  /** For an ordinary user: with a user namespace that maps the caller to root. */
  readonly rootless?: boolean;
}

/** Writes config.json; throws when it exists. */
export async function writeSpec(
  given: RuntimeOrSettings = {},
  options: SpecOptions = {},
): Promise<void> {
  const runtime = runtimeOf(given);
  const { bundle = ".", file = "config.json", rootless = false } = options;
  const path = pathFrom(absolute(runtime.caller, bundle), file);
  const text = specText(hostTemplate(runtime, rootless));
  try {
    await Deno.writeTextFile(path, `${text}\n`, {
      createNew: true,
      mode: runtime.caller.masked(0o666),
    });
  } catch (cause) {
    const exists = cause instanceof Deno.errors.AlreadyExists;
    const hint = exists ? "remove it first" : undefined;
    throw new RuntsError(`write ${quote(path)}`, { command: "spec", cause, hint });
  }
}
