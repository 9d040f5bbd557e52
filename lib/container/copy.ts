/** What later verbs need of the copy of config.json in the state directory. */

import { quote, RuntsError } from "../errors.ts";
import { parseExact } from "../spec/json_exact.ts";
import type { Spec } from "../spec/types.ts";
import type { StateDirectory } from "../state/directory.ts";

/** The configuration that the container was made from; it was validated then. */
export function readCopy(directory: StateDirectory): Spec {
  const spec = readCopyIfAny(directory);
  if (spec !== undefined) return spec;
  throw new RuntsError(`${quote(directory.file("config.json"))} is missing or no JSON`);
}

/** As {@linkcode readCopy}; undefined when it is missing or damaged. */
export function readCopyIfAny(directory: StateDirectory): Spec | undefined {
  try {
    const document = parseExact(directory.readText("config.json") ?? "null").value;
    return typeof document === "object" && document !== null ? document as Spec : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the end of init ends every process of the container (pid_namespaces(7)). */
export function hasOwnPidNamespace(directory: StateDirectory): boolean {
  const namespaces = readCopyIfAny(directory)?.linux?.namespaces ?? [];
  return namespaces.some((namespace) => namespace.type === "pid" && !namespace.path);
}
