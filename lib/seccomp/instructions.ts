/** Classic BPF as filters use it (linux/filter.h, linux/bpf_common.h). */

/** Bytes of struct sock_filter. */
export const INSTRUCTION_SIZE = 8;
/** BPF_MAXINSNS: what the kernel takes at most. */
export const INSTRUCTIONS_MAX = 4096;

/** Operation codes. */
export const Code = {
  /** BPF_LD | BPF_W | BPF_ABS: a word of struct seccomp_data. */
  load: 0x20,
  /** BPF_ALU | BPF_AND | BPF_K */
  and: 0x54,
  /** BPF_JMP | BPF_JA */
  jump: 0x05,
  /** BPF_JMP | BPF_JEQ | BPF_K, and its like. */
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterEqual: 0x35,
  jumpBits: 0x45,
  /** BPF_RET | BPF_K */
  return: 0x06,
} as const;

/** Offsets in struct seccomp_data. */
export const Data = { number: 0, architecture: 4, arguments: 16 } as const;

/** __X32_SYSCALL_BIT: system calls of x32 share the architecture of x86_64. */
export const X32_BIT = 0x40000000;

/** One struct sock_filter: after a comparison, `yes` or `no` instructions are skipped. */
export interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly operand: number;
}

export function instruction(code: number, operand: number, yes = 0, no = 0): Instruction {
  return { code, yes, no, operand };
}

/** Bytes in the order of this machine; all that Deno runs on are little-endian. */
export function encodeProgram(program: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, yes, no, operand }, index) => {
    const offset = index * INSTRUCTION_SIZE;
    view.setUint16(offset, code, true);
    view.setUint8(offset + 2, yes);
    view.setUint8(offset + 3, no);
    view.setUint32(offset + 4, operand, true);
  });
  return bytes;
}

export function decodeProgram(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const program: Instruction[] = [];
  for (let offset = 0; offset + INSTRUCTION_SIZE <= bytes.length; offset += INSTRUCTION_SIZE) {
    program.push({
      code: view.getUint16(offset, true),
      yes: view.getUint8(offset + 2),
      no: view.getUint8(offset + 3),
      operand: view.getUint32(offset + 4, true),
    });
  }
  return program;
}
