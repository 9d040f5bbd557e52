/** `spec`: writes a configuration to start from. */

import { pathFrom } from "../base/paths.ts";
import { detectHost } from "../cgroup/hierarchies.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { templateText } from "../spec/template.ts";
import { absolute } from "../base/absolute.ts";
import { type Runtime, runtimeOf, type RuntimeOrSettings } from "../runtime/runtime.ts";

export interface SpecOptions {
  /** Directory of the bundle; default: the working directory. */
  readonly bundle?: string;
  /** File to write, if not config.json; relative to the bundle. */
  readonly file?: string;
  /** For an ordinary user: with a user namespace that maps the caller to root. */
  readonly rootless?: boolean;
}

/** Writes config.json; throws when it exists. */
export function writeSpec(given: RuntimeOrSettings = {}, options: SpecOptions = {}): void {
  const runtime = runtimeOf(given);
  const { uid, gid } = runtime.caller;
  const { bundle = ".", file = "config.json", rootless = false } = options;
  const path = pathFrom(absolute(runtime.caller, bundle), file);
  const text = templateText({
    ...(rootless && { rootless: { uid, gid } }),
    cgroupNamespace: isPureV2(runtime),
  });
  try {
    Deno.writeTextFileSync(path, `${text}\n`, { createNew: true });
  } catch (cause) {
    const exists = cause instanceof Deno.errors.AlreadyExists;
    const hint = exists ? "remove it first" : undefined;
    throw new RuntsError(`write ${quote(path)}`, { command: "spec", cause, hint });
  }
}

function isPureV2(runtime: Runtime): boolean {
  try {
    return detectHost(runtime).mode === "v2";
  } catch {
    return false; // a configuration can be written where no container can run
  }
}
