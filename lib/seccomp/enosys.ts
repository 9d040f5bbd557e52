/**
 * System calls newer than the profile. A profile denies what it does not name, so one that was
 * written before a system call existed denies that too, commonly with EPERM, and a C library that
 * would have done without it gives up. So what has a greater number than all that the profile names
 * is answered as a kernel without it would: ENOSYS.
 */

import { ENOSYS } from "../base/errno.ts";
import type { Seccomp } from "../spec/types/config.ts";
import { RETURNS } from "./actions.ts";
import { auditOf, X32, X86_64 } from "./architectures.ts";
import {
  Code,
  Data,
  encodeProgram,
  type Instruction,
  instruction,
  X32_BIT,
} from "./instructions.ts";

/** AUDIT_ARCH_S390, AUDIT_ARCH_S390X. */
const S390 = [0x00000016, 0x80000016];

const RETURN_ENOSYS = instruction(Code.return, RETURNS.SCMP_ACT_ERRNO + ENOSYS);

/** The greatest number that is named, on an architecture as the kernel knows it. */
interface Newest {
  readonly architecture: number;
  /** Undefined when nothing is named that the architecture has. */
  plain?: number;
  /** With the x32 bit. */
  x32?: number;
}

/** Whether the profile leaves the answer to unknown system calls to us. */
export function needsEnosys({ defaultAction, defaultErrnoRet }: Seccomp): boolean {
  switch (defaultAction) {
    // What is allowed or left to a tracer needs no help; nor does what says ENOSYS itself.
    case "SCMP_ACT_ALLOW":
    case "SCMP_ACT_LOG":
    case "SCMP_ACT_TRACE":
      return false;
    case "SCMP_ACT_ERRNO":
      return defaultErrnoRet !== ENOSYS;
    default:
      return true;
  }
}

/**
 * The program to put in front of the filter: it returns ENOSYS or goes on to the filter.
 *
 * @param architectures SCMP_ARCH_* of the filter
 * @param numbers of all that the profile names, on one of them; negative for what that lacks
 */
export function enosysProgram(
  architectures: readonly number[],
  numbers: (architecture: number) => readonly number[],
): Uint8Array<ArrayBuffer> {
  const found = new Map<number, Newest>();
  for (const token of architectures) {
    const architecture = auditOf(token);
    const newest = numbers(token).reduce((a, b) => Math.max(a, b), -1);
    if (newest < 0) continue;
    const entry = found.get(architecture) ?? { architecture };
    entry[token === X32 ? "x32" : "plain"] = newest;
    found.set(architecture, entry);
  }
  return encodeProgram(assemble([...found.values()]));
}

function assemble(entries: readonly Newest[]): Instruction[] {
  const blocks = entries.map((entry) => [entry.architecture, block(entry)] as const);
  // Each has its comparison in front and a jump to the filter behind.
  let left = blocks.reduce((sum, [, block]) => sum + block.length + 2, 0);
  const program: Instruction[] = [];
  for (const [architecture, block] of blocks) {
    left -= block.length + 2;
    program.push(instruction(Code.jumpEqual, architecture, 0, block.length + 1));
    program.push(...block, instruction(Code.jump, left));
  }
  return program.length === 0 ? [] : [instruction(Code.load, Data.architecture), ...program];
}

/** One architecture: ends with the return of ENOSYS; what is after it is not newer. */
function block({ architecture, plain, x32 }: Newest): Instruction[] {
  const tests: ((newer: number, older: number) => Instruction)[] = [];
  // On s390 the kernel shows a number that it does not know as 0.
  if (S390.includes(architecture)) {
    tests.push((newer) => instruction(Code.jumpEqual, 0, newer));
  }
  if (architecture === X86_64) {
    tests.push((_, older) =>
      instruction(
        Code.jumpBits,
        X32_BIT,
        x32 === undefined ? older : plain === undefined ? 0 : 1,
        plain === undefined ? older : 0,
      )
    );
  }
  for (const newest of [plain, x32]) {
    if (newest === undefined) continue;
    tests.push((newer, older) => instruction(Code.jumpGreater, newest, newer, older));
  }
  const jumps = tests.map((test, index) => {
    const newer = tests.length - index - 1;
    return test(newer, newer + 1);
  });
  return [instruction(Code.load, Data.number), ...jumps, RETURN_ENOSYS];
}
