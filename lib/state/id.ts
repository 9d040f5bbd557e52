/** Container ids: what runc accepts, because an id becomes a file name, a cgroup and a scope. */

import { quote, RuntsError } from "../base/errors.ts";

const ID = /^[A-Za-z0-9_+\-.,]+$/;
/** What else stands in a state root: caches of runts, and of crun, and the events. */
export const OTHERS = [".cache", ".code", ".events", ".seccomp"];
/** Longest file name (NAME_MAX, limits.h). */
const LONGEST = 255;

/** Checks an id; throws {@linkcode RuntsError} naming the rule that it breaks. */
export function checkId(id: string): string {
  if (id === "") throw new RuntsError("container id is empty");
  if (id === "." || id === "..") throw invalid(id, "it is a directory's own name");
  if (OTHERS.includes(id)) throw invalid(id, "it is the name of a cache in the state root");
  if (!ID.test(id)) {
    throw invalid(id, 'only letters, digits and "_", "+", "-", ".", "," are allowed');
  }
  if (id.length > LONGEST) throw invalid(id, `it is longer than ${LONGEST} characters`);
  return id;
}

function invalid(id: string, hint: string): RuntsError {
  return new RuntsError(`invalid container id ${quote(id)}`, { hint });
}
