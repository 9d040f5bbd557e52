/**
 * Why a program was not found or not executed. The first words are runc's, for clients derive exit
 * codes from them.
 */

import { decodeBytes } from "../base/bytes.ts";
import { EACCES, EISDIR, ELOOP, ENOENT, ENOEXEC, ENOTDIR, errnoText } from "../base/errno.ts";
import { type ErrorData, quote, RuntsError } from "../base/errors.ts";

/** First bytes of a program that are reported (EXEC_HEAD of c/init/init.h). */
const HEAD = 1024;
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const BYTE_ORDER_MARK = "\ufeff";
/** Bytes of a `#!` line that the kernel reads (BINPRM_BUF_SIZE). */
const LINE = 256;

/** `no such file or directory` for ENOENT. */
function plainText(errno: number): string {
  return /\((.*)\)$/.exec(errnoText(errno))?.[1] ?? errnoText(errno);
}

function decode(bytes: Uint8Array | undefined): string {
  return decodeBytes(bytes ?? new Uint8Array());
}

/**
 * `find_program` failed. Parts: text, the candidate, the element of its path that refused, and
 * `noexec` if its mount has that option.
 */
export function explainSearch(
  parts: readonly Uint8Array[],
  errno: number,
  data: ErrorData,
  op: { readonly name?: string; readonly search?: string },
): RuntsError {
  const candidate = decode(parts[1]);
  const element = decode(parts[2]);
  const name = op.name ?? candidate;
  const program = `exec: ${quote(name)}`;
  const because = (hint: string | undefined) => (hint === undefined ? data : { ...data, hint });
  if (errno === ENOENT && !name.includes("/")) {
    const where = op.search === undefined ? undefined : `PATH is ${quote(op.search)}`;
    return new RuntsError(`${program}: executable file not found in $PATH`, because(where));
  }
  if (errno === EACCES) {
    return new RuntsError(
      `${program}: permission denied`,
      because(refusal(candidate, element, decode(parts[3]))),
    );
  }
  // As execve(2) has it; by these words clients know that a program cannot be invoked.
  if (errno === EISDIR) {
    return new RuntsError(`${program}: permission denied`, because("it is a directory"));
  }
  const fault = errno === ENOENT ? "missing" : errno === ENOTDIR ? "not a directory" : undefined;
  const where = element !== "" && fault ? `${quote(element)} is ${fault}` : undefined;
  return new RuntsError(`${program}: stat ${name}: ${plainText(errno)}`, because(where));
}

function refusal(candidate: string, element: string, option: string): string {
  if (element !== "") return `${quote(element)} cannot be searched by this user`;
  if (option !== "") return `${quote(candidate)} lies on a mount with the option ${option}`;
  return `${quote(candidate)} is not executable for this user`;
}

/** execve(2) failed. Parts: text, path of the program, its first bytes and its ELF loader. */
export function explainExec(
  parts: readonly Uint8Array[],
  errno: number,
  data: ErrorData,
): RuntsError {
  const program = `exec: ${quote(decode(parts[1]))}`;
  const head = (parts[2] ?? new Uint8Array()).subarray(0, HEAD);
  const loader = decode(parts[2]?.subarray(HEAD)).replace(/\0.*$/s, "");
  const because = (hint: string | undefined) => (hint === undefined ? data : { ...data, hint });
  const interpreter = interpreterOf(head);
  if (errno === ENOENT && interpreter !== undefined) {
    const hint = interpreter.endsWith("\r")
      ? "the first line of the script ends in CR LF; save it with Unix line ends"
      : undefined;
    const missing = `interpreter ${quote(interpreter)}: ${plainText(errno)}`;
    return new RuntsError(`${program}: ${missing}`, because(hint));
  }
  if (errno === ENOENT && loader !== "") {
    const hint = "the program is linked dynamically; its loader is not in the root filesystem";
    const missing = `ELF loader ${quote(loader)}: ${plainText(errno)}`;
    return new RuntsError(`${program}: ${missing}`, because(hint));
  }
  const needed = interpreter === undefined
    ? loader && `ELF loader ${quote(loader)}`
    : `interpreter ${quote(interpreter)}`;
  const hint = errno === ENOEXEC
    ? describeFormat(head, interpreter)
    : errno === EACCES && needed
    ? `the ${needed} is not executable for this user, or lies on a mount with the option noexec`
    : errno === ELOOP && needed
    ? `the ${needed} needs others in turn, more than the kernel follows`
    : undefined;
  return new RuntsError(`${program}: ${plainText(errno)}`, because(hint));
}

/** What the `#!` line names, with a carriage return that does not belong there. */
function interpreterOf(head: Uint8Array): string | undefined {
  const text = UTF8.decode(head);
  if (!text.startsWith("#!")) return undefined;
  const line = text.slice(2).split("\n", 1)[0]!.trimStart();
  return /^[^ \t]*/.exec(line)?.[0];
}

/** e_machine of elf(5). */
const MACHINES: Readonly<Record<number, string>> = {
  2: "sparc",
  3: "x86 (32 bit)",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390",
  40: "arm",
  43: "sparc64",
  50: "ia64",
  62: "x86_64",
  183: "aarch64",
  243: "riscv",
  258: "loongarch",
};

function describeFormat(head: Uint8Array, interpreter: string | undefined): string {
  if (head.length === 0) return "the file is empty or cannot be read";
  if (UTF8.decode(head.subarray(1, 4)) === "ELF" && head[0] === 0x7f && head.length >= 20) {
    const little = head[5] !== 2;
    const machine = new DataView(head.buffer, head.byteOffset).getUint16(18, little);
    const name = MACHINES[machine] ?? `machine ${machine}`;
    const damaged = name === Deno.build.arch ? ", as this host is: it is damaged" : "";
    return `it is an ELF program for ${name}${damaged}`;
  }
  if (interpreter === "") return "its first line names no interpreter after #!";
  if (interpreter !== undefined) {
    return 2 + interpreter.length >= LINE
      ? `its first line is longer than ${LINE} bytes`
      : `its interpreter is ${quote(interpreter)}`;
  }
  return UTF8.decode(head).startsWith(`${BYTE_ORDER_MARK}#!`)
    ? "a byte order mark comes before #!; save it without one"
    : "it is no ELF program and does not begin with #!";
}
