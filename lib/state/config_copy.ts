/** What later verbs need of the copy of config.json in the state directory. */

import { quote, RuntsError } from "../base/errors.ts";
import { isObject, parseExact } from "../spec/json/exact.ts";
import type { Spec } from "../spec/types/config.ts";
import type { StateDirectory } from "./directory.ts";
import { DAMAGED } from "./status.ts";

/** The configuration that the container was made from; it was validated then. */
export function readCopy(directory: StateDirectory): Spec {
  const spec = readCopyIfAny(directory);
  if (spec !== undefined) return spec;
  const text = directory.readText("config.json"); // which tells what is no file
  const fault = text === undefined ? "missing" : "damaged";
  const copy = quote(directory.file("config.json"));
  throw new RuntsError(`the copy of the configuration, ${copy}, is ${fault}`, { hint: DAMAGED });
}

/** As {@linkcode readCopy}; undefined when it is missing or damaged. */
export function readCopyIfAny(directory: StateDirectory): Spec | undefined {
  try {
    const document = parseExact(directory.readText("config.json") ?? "null").value;
    return isSpec(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the parts that every verb relies on are of the types that they were when it was copied. */
function isSpec(document: unknown): document is Spec {
  if (!isObject(document)) return false;
  const { linux = {}, hooks = {}, annotations = {}, mounts = [] } = document;
  if (![linux, hooks, annotations].every(isObject)) return false;
  const { namespaces = [], cgroupsPath = "" } = linux as Record<string, unknown>;
  const lists = [namespaces, mounts, ...Object.values(hooks as Record<string, unknown>)];
  return lists.every((list) => Array.isArray(list) && list.every(isObject)) &&
    [cgroupsPath, ...Object.values(annotations as Record<string, unknown>)].every(isText);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Whether the end of init ends every process of the container (pid_namespaces(7)). */
export function hasOwnPidNamespace(directory: StateDirectory): boolean {
  const namespaces = readCopyIfAny(directory)?.linux?.namespaces ?? [];
  return namespaces.some((namespace) => namespace.type === "pid" && !namespace.path);
}
