/**
 * Device rules on v2: a BPF program that the kernel asks at every mknod and open of a device
 * (BPF_PROG_TYPE_CGROUP_DEVICE). It looks at the rules from the last to the first. An allowing
 * rule takes its bits from the access asked for, which is granted when no bit is left; a
 * forbidding rule ends it if it is about one of the bits left. So each bit gets the answer of
 * the last rule about it, which is what applying the rules in order means.
 */

import { ALL_ACCESS, type Rule } from "./rules.ts";

/** One instruction of eBPF (struct bpf_insn). */
export interface Instruction {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  /** Of a jump: instructions to skip. Of a load: bytes. */
  readonly off: number;
  readonly imm: number;
}

/** Names of code in linux/bpf.h: class | operation | source of the operand. */
export const Code = {
  /** dst = *(u32 *)(src + off) */
  LOAD32: 0x61,
  /** dst = imm, dst = src */
  MOVE: 0xb7,
  MOVE_REG: 0xbf,
  /** dst &= imm; 32 bits of it */
  AND32: 0x54,
  /** dst >>= imm; 32 bits of it */
  SHIFT_RIGHT32: 0x74,
  /** if (dst != imm) skip off */
  JUMP_NOT_EQUAL: 0x55,
  /** if (dst & imm) skip off */
  JUMP_SET: 0x45,
  JUMP: 0x05,
  EXIT: 0x95,
} as const;

/** Registers: the result, the context (struct bpf_cgroup_dev_ctx), what is read from it. */
const RESULT = 0;
const CONTEXT = 1;
const TYPE = 2;
const ACCESS = 3;
const MAJOR = 4;
const MINOR = 5;

/** BPF_DEVCG_DEV_* */
const TYPES = { b: 1, c: 2 } as const;

/** The program for rules that are applied in order, from nothing allowed. */
export function deviceProgram(rules: readonly Rule[]): Instruction[] {
  const program = [
    // The first word is access << 16 | type.
    op(Code.LOAD32, TYPE, { src: CONTEXT, off: 0 }),
    op(Code.MOVE_REG, ACCESS, { src: TYPE }),
    op(Code.AND32, TYPE, { imm: 0xffff }),
    op(Code.SHIFT_RIGHT32, ACCESS, { imm: 16 }),
    op(Code.LOAD32, MAJOR, { src: CONTEXT, off: 4 }),
    op(Code.LOAD32, MINOR, { src: CONTEXT, off: 8 }),
  ];
  for (const rule of rules.toReversed()) {
    const verdict = verdictOf(rule);
    const matches = matchesOf(rule, verdict.length);
    program.push(...matches, ...verdict);
    // The verifier refuses instructions that cannot be reached.
    if (matches.length === 0 && rule.access === ALL_ACCESS) return program;
  }
  program.push(...answer(0));
  return program;
}

/** Comparisons that skip the rest of the rule when the device is another. */
function matchesOf({ type, major, minor }: Rule, verdict: number): Instruction[] {
  const tests: [register: number, value: number][] = [];
  if (type !== "a") tests.push([TYPE, TYPES[type]]);
  if (major !== -1) tests.push([MAJOR, major]);
  if (minor !== -1) tests.push([MINOR, minor]);
  return tests.map(([register, imm], index) =>
    op(Code.JUMP_NOT_EQUAL, register, { imm, off: tests.length - 1 - index + verdict })
  );
}

function verdictOf({ allow, access }: Rule): Instruction[] {
  if (access === ALL_ACCESS) return answer(allow ? 1 : 0);
  const verdict = answer(allow ? 1 : 0);
  const skip = verdict.length;
  return allow
    ? [
      op(Code.AND32, ACCESS, { imm: ALL_ACCESS & ~access }),
      op(Code.JUMP_NOT_EQUAL, ACCESS, { imm: 0, off: skip }),
      ...verdict,
    ]
    : [
      op(Code.JUMP_SET, ACCESS, { imm: access, off: 1 }),
      op(Code.JUMP, 0, { off: skip }),
      ...verdict,
    ];
}

function answer(imm: 0 | 1): Instruction[] {
  return [op(Code.MOVE, RESULT, { imm }), op(Code.EXIT, 0)];
}

function op(
  code: number,
  dst: number,
  { src = 0, off = 0, imm = 0 }: Partial<Instruction> = {},
): Instruction {
  return { code, dst, src, off, imm };
}

/** Instructions as the kernel takes them: 8 bytes each, in the byte order of the machine. */
export function encodeProgram(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(program.length * 8));
  const view = new DataView(bytes.buffer);
  for (const [index, { code, dst, src, off, imm }] of program.entries()) {
    const at = index * 8;
    view.setUint8(at, code);
    // Two bit fields of four bits; Deno runs on little-endian machines alone.
    view.setUint8(at + 1, (src << 4) | dst);
    view.setInt16(at + 2, off, true);
    view.setInt32(at + 4, imm, true);
  }
  return bytes;
}
