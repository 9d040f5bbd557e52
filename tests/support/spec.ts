/** What the tests of lib/spec share. */

import { findingText } from "../../lib/spec/check/findings.ts";
import { template } from "../../lib/spec/template.ts";
import { validate } from "../../lib/spec/check/config.ts";

export type Json = Record<string, unknown>;

/** A valid configuration with other values at some paths; undefined removes what is there. */
export function config(changes: Json = {}): Json {
  const document = structuredClone(template()) as unknown as Json;
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split(".");
    const last = keys.pop() as string;
    let at: Json = document;
    for (const key of keys) at = (at[key] ??= {}) as Json;
    if (value === undefined) delete at[last];
    else at[last] = value;
  }
  return document;
}

/** All findings of the changed configuration, as they are printed. */
export function faults(changes: Json): string[] {
  return validate(config(changes)).map(findingText);
}

/** A change of the configuration, and the findings it leads to. */
export type Case = readonly [changes: Json, ...findings: string[]];

/** The namespaces of the template, and others; a type with a path is joined. */
export function withNamespaces(...others: (string | Json)[]): Json[] {
  const own = template().linux?.namespaces as unknown as Json[];
  return [...own, ...others.map((other) => typeof other === "string" ? { type: other } : other)];
}
