/** Runs seccomp filters as the kernel would: classic BPF over struct seccomp_data. */

/** A system call as a filter sees it. */
export interface Call {
  /** AUDIT_ARCH_* */
  readonly arch: number;
  readonly number: number;
  readonly args?: readonly bigint[];
}

export const X86_64 = 0xc000003e;
export const X86 = 0x40000003;
export const X32_BIT = 0x40000000;

/** What the filter returns (SECCOMP_RET_*). Throws where the kernel would refuse the program. */
export function runFilter(filter: Uint8Array, { arch, number, args = [] }: Call): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number >>> 0, true);
  data.setUint32(4, arch, true);
  args.forEach((value, index) => data.setBigUint64(16 + index * 8, value, true));
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const scratch = new Uint32Array(16);
  let [a, x] = [0, 0];
  for (let at = 0; at < filter.length; at += 8) {
    const code = program.getUint16(at, true);
    const operand = program.getUint32(at + 4, true);
    const jump = (holds: boolean) => at += 8 * program.getUint8(at + (holds ? 2 : 3));
    switch (code) {
      case 0x20:
        a = data.getUint32(operand, true);
        break;
      case 0x60:
        a = scratch[operand]!;
        break;
      case 0x02:
        scratch[operand] = a;
        break;
      case 0x07:
        x = a;
        break;
      case 0x87:
        a = x;
        break;
      case 0x54:
        a = (a & operand) >>> 0;
        break;
      case 0x05:
        at += 8 * operand;
        break;
      case 0x15:
        jump(a === operand);
        break;
      case 0x25:
        jump(a > operand);
        break;
      case 0x35:
        jump(a >= operand);
        break;
      case 0x45:
        jump((a & operand) !== 0);
        break;
      case 0x06:
        return operand;
      default:
        throw new Error(`instruction ${at / 8}: unknown code 0x${code.toString(16)}`);
    }
  }
  throw new Error("the program has no end");
}

/** A returned value in words: `ALLOW`, `ERRNO 1`. */
export function actionOf(value: number): string {
  const name = NAMES[(value & 0xffff0000) >>> 0] ?? "UNKNOWN";
  return name === "ERRNO" || name === "TRACE" ? `${name} ${value & 0xffff}` : name;
}

const NAMES: Readonly<Record<number, string>> = {
  0x00000000: "KILL_THREAD",
  0x80000000: "KILL_PROCESS",
  0x00030000: "TRAP",
  0x00050000: "ERRNO",
  0x7fc00000: "NOTIFY",
  0x7ff00000: "TRACE",
  0x7ffc0000: "LOG",
  0x7fff0000: "ALLOW",
};
