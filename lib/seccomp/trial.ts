/**
 * Rules that libseccomp may never return from. Its 2.5 loops for ever while it adds some rules with
 * several conditions to those of the same system call: with a third argument compared in two ways
 * below the same comparison of a second one, for instance. So such rules are first added on another
 * thread, for as long as anybody would wait.
 */

import { loadSeccomp, type SeccompLibrary } from "../../ffi/seccomp.ts";
import { quote, RuntsError } from "../base/errors.ts";
import type { Seccomp, SeccompRule } from "../spec/types/config.ts";
import { beginFilter, libraryRules } from "./compile.ts";

/** It takes microseconds, or for ever; ms. */
const DEADLINE = 5000;

/**
 * Tries the rules in question, if there are any. Throws RuntsError that names the one that the library
 * does not return from; that thread is lost, and keeps a processor busy until the process ends.
 */
export async function tryRules(
  profile: Seccomp,
  strict: boolean,
  deadline = DEADLINE,
): Promise<void> {
  const names = namesOnTrial(profile.syscalls ?? []);
  if (names.size === 0) return;
  const library = loadSeccomp();
  const { context } = beginFilter(library, profile);
  for (
    const { name, path, action, syscall, conditions } of libraryRules(library, profile, strict)
  ) {
    if (!names.has(name)) continue;
    const added = context.addRuleAside(action, syscall, conditions);
    if (!await isSettledWithin(added, deadline)) throw neverReturned(library, name, path);
  }
  context[Symbol.dispose]();
}

/** Names of system calls that several rules with several conditions are about. */
function namesOnTrial(rules: readonly SeccompRule[]): Set<string> {
  const seen = new Set<string>();
  const risky = new Set<string>();
  for (const { names, args = [] } of rules) {
    if (args.length < 2) continue;
    for (const name of names) (seen.has(name) ? risky : seen).add(name);
  }
  return risky;
}

async function isSettledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(() => resolve(false), ms));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function neverReturned({ version }: SeccompLibrary, name: string, configPath: string): RuntsError {
  return new RuntsError(`add a rule for system call ${quote(name)}`, {
    configPath,
    cause: `libseccomp ${version} does not come to an end`,
    hint: "give the rules of this system call another order, or one condition each",
  });
}
