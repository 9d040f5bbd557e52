/** `spec`: writes a configuration to start from. */

import { pathFrom } from "../base/paths.ts";
import { detectHost } from "../cgroup/hierarchies.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { templateText } from "../spec/template.ts";
import { absolute } from "../base/absolute.ts";

export interface SpecOptions {
  /** Directory of the bundle; default: the working directory. */
  readonly bundle?: string;
  /** File to write, if not config.json; relative to the bundle. */
  readonly file?: string;
  /** For an ordinary user: with a user namespace that maps the caller to root. */
  readonly rootless?: boolean;
}

/** Writes config.json; throws when it exists. */
export function writeSpec(options: SpecOptions = {}): void {
  const { bundle = ".", file = "config.json", rootless = false } = options;
  const path = pathFrom(absolute(bundle), file);
  const text = templateText({ rootless, cgroupNamespace: isPureV2() });
  try {
    Deno.writeTextFileSync(path, `${text}\n`, { createNew: true });
  } catch (cause) {
    const exists = cause instanceof Deno.errors.AlreadyExists;
    const hint = exists ? "remove it first" : undefined;
    throw new RuntsError(`write ${quote(path)}`, { command: "spec", cause, hint });
  }
}

function isPureV2(): boolean {
  try {
    return detectHost().mode === "v2";
  } catch {
    return false; // a configuration can be written where no container can run
  }
}
