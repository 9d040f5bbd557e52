/** A filter in words: what becomes of every system call, and the program itself. */

import { loadSeccomp, type SeccompLibrary } from "../../ffi/seccomp.ts";
import { errnoText } from "../base/errno.ts";
import type { SeccompFilter } from "../plan/plan.ts";
import { ACTION_MASK, RETURNS } from "./actions.ts";
import { type Architecture, knownArchitectures, X32, X86_64 } from "./architectures.ts";
import { decodeProgram, type Instruction, X32_BIT } from "./instructions.ts";
import { describeConditions } from "./conditions.ts";
import { disassemble, type Names } from "./disassemble.ts";
import { architecturesIn } from "./flow.ts";
import { type Path, pathsOf } from "./branches.ts";

/** How many numbers of an architecture are looked at; Linux has less than 500. */
const NUMBERS = 1024;
/** Where the numbers begin that do not begin at 0: o32, n64 and n32 of MIPS. */
const FIRST: Readonly<Record<string, number>> = {
  mips: 4000,
  mipsel: 4000,
  mips64: 5000,
  mipsel64: 5000,
  mips64n32: 6000,
  mipsel64n32: 6000,
  x32: X32_BIT,
};
const WIDTH = 100;

const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [1 << 0, "TSYNC"],
  [1 << 1, "LOG"],
  [1 << 2, "SPEC_ALLOW"],
  [1 << 4, "TSYNC_ESRCH"],
  [1 << 5, "WAIT_KILLABLE_RECV"],
];

/** What becomes of each system call, by architecture. Throws RuntsError without libseccomp. */
export function describeFilter(filter: SeccompFilter): string {
  const library = loadSeccomp();
  const program = decodeProgram(filter.filter);
  const flags = FLAGS.filter(([bit]) => filter.flags & bit).map(([, name]) => name);
  const head = [
    `${program.length} instructions`,
    flags.length > 0 ? `flags ${flags.join(", ")}` : "no flags",
    filter.notify ? "with a listener" : "no listener",
  ];
  const lines = [`seccomp filter: ${head.join("; ")}`];
  const asked = architecturesIn(program);
  for (const architecture of knownArchitectures(library)) {
    if (!asked.has(architecture.audit)) continue;
    lines.push(...describeArchitecture(program, architecture, library));
  }
  const strange = pathsOf(program, 0, 0);
  if (strange) lines.push(`other architectures: ${strange.map(answerOf).join(" or ")}`);
  return lines.join("\n") + "\n";
}

/** The program, instruction by instruction. */
export function listFilter(filter: SeccompFilter): string {
  const library = loadSeccomp();
  const known = knownArchitectures(library);
  const names: Names = {
    architecture: (token) => known.find(({ audit }) => audit === token)?.name,
    syscall: (audit, number) => {
      const token = audit === X86_64 && number & X32_BIT ? X32 : audit;
      const name = library.syscallName(token, number | 0);
      return name === undefined ? undefined : `${number} (${name})`;
    },
    action: describeAction,
  };
  return disassemble(decodeProgram(filter.filter), names).join("\n") + "\n";
}

/** An answer of a filter in words: `allow`, `EPERM (operation not permitted)`. */
function describeAction(value: number): string {
  const data = value & 0xffff;
  switch ((value & ACTION_MASK) >>> 0) {
    case RETURNS.SCMP_ACT_ALLOW:
      return "allow";
    case RETURNS.SCMP_ACT_LOG:
      return "allow and log";
    case RETURNS.SCMP_ACT_ERRNO:
      return data === 0 ? "succeed without doing it" : errnoText(data);
    case RETURNS.SCMP_ACT_TRACE:
      return `ask the tracer, with ${data}`;
    case RETURNS.SCMP_ACT_NOTIFY:
      return "ask the listener";
    case RETURNS.SCMP_ACT_TRAP:
      return "send SIGSYS";
    case RETURNS.SCMP_ACT_KILL:
      return "kill the thread";
    default: // the kernel takes what it does not know for this
      return "kill the process";
  }
}

function answerOf({ value }: Path): string {
  return describeAction(value);
}

function describeArchitecture(
  program: readonly Instruction[],
  { name, audit, token }: Architecture,
  library: SeccompLibrary,
): string[] {
  const groups = new Map<string, string[]>();
  const byArguments: string[] = [];
  const unnamed: string[] = [];
  const first = FIRST[name] ?? 0;
  for (let number = first; number < first + NUMBERS; number++) {
    const paths = pathsOf(program, audit, number);
    const syscall = library.syscallName(token, number);
    const answers = [...new Set(paths?.map(answerOf))];
    const [answer] = answers;
    if (syscall === undefined) {
      unnamed.push(answer ?? "");
    } else if (paths === undefined || answer === undefined) {
      byArguments.push(`${syscall}: too many cases to tell`);
    } else if (answers.length > 1) {
      byArguments.push(`${syscall}: ${alternatives(paths, isWide(token))}`);
    } else {
      groups.set(answer, [...groups.get(answer) ?? [], syscall]);
    }
  }
  const [only] = groups.keys();
  const newest = unnamed.at(-1) ?? "";
  if (groups.size === 1 && byArguments.length === 0 && newest === only) {
    return [`${name}: ${only}`];
  }
  return [
    `${name}:`,
    ...[...groups].flatMap(([answer, names]) => [
      `  ${answer}:`,
      ...wrap(names.toSorted(), "    "),
    ]),
    ...(byArguments.length > 0 ? ["  by the arguments:"] : []),
    ...byArguments.toSorted().flatMap((text) => wrap(text.split(" "), "    ", "      ")),
    `  newer ones: ${newest}`,
  ];
}

/** `allow if arg0 == 0x1, or if arg0 == 0x2; else EPERM (operation not permitted)`. */
function alternatives(paths: readonly Path[], is64: boolean): string {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const answer = answerOf(path);
    groups.set(answer, [...groups.get(answer) ?? [], describeConditions(path, is64)]);
  }
  const ordered = [...groups].toSorted(([, a], [, b]) =>
    weight(a) - weight(b) || a.length - b.length
  );
  const last = ordered.pop()![0];
  const cases = ordered.map(([answer, conditions]) =>
    `${answer} if ${[...new Set(conditions)].join(", or if ")}`
  );
  return [...cases, `else ${last}`].join("; ");
}

/** The answer with the simplest conditions is told first, that with the others is "else". */
function weight(conditions: readonly string[]): number {
  return conditions.reduce((sum, text) => sum + text.split(/ and | != /).length, 0);
}

/** Whether arguments have 64 bits (__AUDIT_ARCH_64BIT). */
function isWide(token: number): boolean {
  return token >= 0x80000000;
}

/** Lines of words; `hanging` indents all but the first. */
function wrap(words: readonly string[], indent: string, hanging = indent): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of words) {
    if (line.trim() !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = hanging;
    }
    line += line.trim() === "" ? word : ` ${word}`;
  }
  return line.trim() === "" ? lines : [...lines, line];
}
