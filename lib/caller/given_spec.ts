/** A configuration that is no file: the template of the host, with what a script wants otherwise. */

import { RuntsError } from "../base/errors.ts";
import { detectHost } from "../cgroup/hierarchies.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type Changes, withChanges } from "../spec/changes.ts";
import { validate } from "../spec/check/config.ts";
import { SpecError } from "../spec/json/document.ts";
import { formatJson } from "../spec/json/json.ts";
import { template } from "../spec/template.ts";
import type { Spec } from "../spec/types/config.ts";

/** What errors call it, where they would name a file. */
export const GIVEN = "spec";

/** The configuration of `runts spec` on this host; `rootless`: with a user namespace for the caller. */
export function hostTemplate(runtime: Runtime, rootless: boolean): Spec {
  const { uid, gid } = runtime.caller;
  return template({
    ...(rootless && { rootless: { uid, gid } }),
    cgroupNamespace: isPureV2(runtime),
  });
}

function isPureV2(runtime: Runtime): boolean {
  try {
    return detectHost(runtime).mode === "v2";
  } catch {
    return false; // a configuration can be written where no container can run
  }
}

/** The text of the configuration. Throws {@linkcode SpecError} if it breaks the specification. */
export function givenText(runtime: Runtime, changes: Changes<Spec>): string {
  const whole = merged(hostTemplate(runtime, runtime.caller.uid !== 0), changes);
  // Before it is text, which has no words for what is no JSON.
  const findings = validate(whole);
  if (findings.length > 0) throw new SpecError(GIVEN, findings);
  return formatJson(whole);
}

function merged(base: Spec, changes: Changes<Spec>): unknown {
  const quiet = withChanges(base, { process: { terminal: false } });
  try {
    return withChanges(quiet, changes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RuntsError(GIVEN, { cause: "it is nested without end" });
  }
}
