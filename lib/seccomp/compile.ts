/** A profile of config.json made into a BPF program by libseccomp. */

import {
  type Condition,
  type FilterContext,
  loadSeccomp,
  type SeccompLibrary,
} from "../../ffi/seccomp.ts";
import { EEXIST } from "../base/errno.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { SECCOMP_OPERATORS } from "../spec/values/names.ts";
import type { Seccomp, SeccompArg, SeccompRule } from "../spec/types/config.ts";
import { returnValue } from "./actions.ts";
import { tokenOf } from "./architectures.ts";
import { INSTRUCTION_SIZE, INSTRUCTIONS_MAX } from "./instructions.ts";
import { enosysProgram, needsEnosys } from "./enosys.ts";

const PROFILE = "linux.seccomp";
/** From this many rules on a tree is quicker than a list; libraries to 2.5.4 fail with none. */
const TREE_RULES = 32;

interface CompileOptions {
  /** Whether a system call that nobody knows is an error instead of being left out. */
  readonly strict: boolean;
}

/** Array of struct sock_filter. Throws RuntsError that names the part of the profile. */
export function compileProfile(
  profile: Seccomp,
  { strict }: CompileOptions,
): Uint8Array<ArrayBuffer> {
  const library = loadSeccomp();
  const { syscalls = [] } = profile;
  const { context, architectures } = beginFilter(library, profile);
  using _ = context;
  let count = 0;
  for (
    const { name, path, action, syscall, conditions } of libraryRules(library, profile, strict)
  ) {
    const result = context.addRule(action, syscall, conditions);
    if (result < 0) throw refused(name, path, -result);
    count++;
  }
  if (count > TREE_RULES) context.useTree();
  const filter = context.compile();
  const stub = needsEnosys(profile)
    ? enosysProgram(architectures, (architecture) => numbersOn(library, architecture, syscalls))
    : new Uint8Array();
  return joined(stub, filter);
}

/** A filter without rules, and SCMP_ARCH_* of all that it has. */
export function beginFilter(
  library: SeccompLibrary,
  profile: Seccomp,
): { context: FilterContext; architectures: number[] } {
  const context = library.filter(fallbackOf(profile));
  try {
    return { context, architectures: addArchitectures(library, context, profile) };
  } catch (error) {
    context[Symbol.dispose]();
    throw error;
  }
}

/** What is returned for system calls that no rule is about. */
function fallbackOf({ defaultAction, defaultErrnoRet }: Seccomp): number {
  return returnValue(defaultAction, defaultErrnoRet, `${PROFILE}.defaultErrnoRet`);
}

function addArchitectures(
  library: SeccompLibrary,
  context: FilterContext,
  { architectures = [] }: Seccomp,
): number[] {
  // That of this machine is always there.
  const tokens = new Set([library.nativeArchitecture]);
  architectures.forEach((name, index) => {
    const configPath = `${PROFILE}.architectures[${index}]`;
    const token = tokenOf(library, name);
    if (token === undefined) {
      const fault = `libseccomp ${library.version} does not have ${quote(name)}`;
      throw new RuntsError(fault, { configPath });
    }
    const result = context.addArchitecture(token);
    if (result < 0 && result !== -EEXIST) {
      throw new RuntsError(`add architecture ${quote(name)} to the seccomp filter`, {
        configPath,
        errno: -result,
        hint: "all architectures of a filter must have the same byte order",
      });
    }
    tokens.add(token);
  });
  return [...tokens];
}

/** One rule as the library takes it. */
interface LibraryRule {
  readonly name: string;
  /** Path of the profile's rule in config.json. */
  readonly path: string;
  readonly action: number;
  readonly syscall: number;
  readonly conditions: readonly Condition[];
}

/** The rules of a profile, in order. Throws RuntsError that names the part of the profile. */
export function* libraryRules(
  library: SeccompLibrary,
  profile: Seccomp,
  strict: boolean,
): Generator<LibraryRule> {
  const { syscalls = [] } = profile;
  const fallback = fallbackOf(profile);
  for (const [place, { names, args = [], ...rule }] of syscalls.entries()) {
    const path = `${PROFILE}.syscalls[${place}]`;
    const action = returnValue(rule.action, rule.errnoRet, `${path}.errnoRet`);
    // The library refuses a rule that changes nothing.
    if (action === fallback) continue;
    const lists = alternatives(args);
    for (const [index, name] of names.entries()) {
      const syscall = library.syscall(name);
      if (syscall !== undefined) {
        for (const conditions of lists) yield { name, path, action, syscall, conditions };
      } else if (strict) {
        const fault = `libseccomp ${library.version} knows no system call ${quote(name)}`;
        throw new RuntsError(fault, { configPath: `${path}.names[${index}]` });
      }
    }
  }
}

function refused(name: string, configPath: string, errno: number): RuntsError {
  return new RuntsError(`add a rule for system call ${quote(name)}`, {
    configPath,
    errno,
    ...(errno === EEXIST && { hint: "an earlier rule has another action for the same case" }),
  });
}

/**
 * The conditions of a rule. All must hold, but the library takes one for each argument only: where
 * the profile has two for an argument each of all is a rule of its own, as every runtime has it.
 */
function alternatives(args: readonly SeccompArg[]): Condition[][] {
  const conditions = args.map(({ index, op, value, valueTwo = 0 }) => ({
    index,
    operator: SECCOMP_OPERATORS.indexOf(op) + 1,
    value: BigInt(value),
    valueTwo: BigInt(valueTwo),
  }));
  const distinct = new Set(args.map((arg) => arg.index)).size === args.length;
  return distinct ? [conditions] : conditions.map((condition) => [condition]);
}

function numbersOn(
  library: SeccompLibrary,
  architecture: number,
  syscalls: readonly SeccompRule[],
): number[] {
  return syscalls.flatMap(({ names }) =>
    names.map((name) => library.syscallOn(architecture, name) ?? -1)
  );
}

function joined(stub: Uint8Array, filter: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(stub.length + filter.length);
  const count = bytes.length / INSTRUCTION_SIZE;
  if (count > INSTRUCTIONS_MAX) {
    throw new RuntsError(
      `the profile compiles to ${count} instructions, and the kernel takes ${INSTRUCTIONS_MAX}`,
      { configPath: PROFILE },
    );
  }
  bytes.set(stub);
  bytes.set(filter, stub.length);
  return bytes;
}
