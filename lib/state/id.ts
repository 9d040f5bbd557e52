/** Container ids: what runc accepts, because an id becomes a file name, a cgroup and a scope. */

import { quote, RuntsError } from "../base/errors.ts";

const ID = /^[A-Za-z0-9_+\-.,]+$/;
/** What else stands in a state root: the warm brain, caches of runts and of crun, the events, a mount point. */
export const OTHERS = [".brain", ".cache", ".code", ".events", ".lxc", ".seccomp"];
/** Longest file name (NAME_MAX, limits.h). */
const LONGEST = 255;

/** Checks an id; throws {@linkcode RuntsError} naming the rule that it breaks. */
export function checkId(id: string): string {
  if (OTHERS.includes(id)) {
    throw invalid("container id", id, "it is the name of something else in the state root");
  }
  return checkName("container id", id);
}

/** Checks what becomes the name of a directory; throws {@linkcode RuntsError} that names `what`. */
export function checkName(what: string, name: string): string {
  if (name === "") throw new RuntsError(`${what} is empty`);
  if (name === "." || name === "..") throw invalid(what, name, "it is a directory's own name");
  if (!ID.test(name)) {
    throw invalid(what, name, 'only letters, digits and "_", "+", "-", ".", "," are allowed');
  }
  if (name.length > LONGEST) {
    throw invalid(what, name, `it is longer than ${LONGEST} characters`);
  }
  return name;
}

function invalid(what: string, name: string, hint: string): RuntsError {
  return new RuntsError(`invalid ${what} ${quote(name)}`, { hint });
}
