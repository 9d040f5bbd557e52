/** Architectures: as config.json, libseccomp and the kernel name them. */

import type { SeccompLibrary } from "../../ffi/seccomp.ts";
import { SECCOMP_ARCHES } from "../spec/values/names.ts";
import type { SeccompArch } from "../spec/types/config.ts";

/** AUDIT_ARCH_X86_64 */
export const X86_64 = 0xc000003e;
/** SCMP_ARCH_X32: to the kernel these are system calls of x86_64 with a bit set. */
export const X32 = 0x4000003e;

/** One architecture. */
export interface Architecture {
  /** As libseccomp has it: `x86_64`. */
  readonly name: string;
  /** SCMP_ARCH_* */
  readonly token: number;
  /** AUDIT_ARCH_*, which filters are shown. */
  readonly audit: number;
}

/** libseccomp's name of `SCMP_ARCH_X86_64`, and so on. */
function libraryName(name: SeccompArch): string {
  return name.slice("SCMP_ARCH_".length).toLowerCase();
}

/** SCMP_ARCH_* of a name in config.json; undefined when the library is without it. */
export function tokenOf(library: SeccompLibrary, name: SeccompArch): number | undefined {
  return library.architecture(libraryName(name));
}

/** AUDIT_ARCH_* of a SCMP_ARCH_*. */
export function auditOf(token: number): number {
  return token === X32 ? X86_64 : token;
}

/** Those of the specification that the library has. */
export function knownArchitectures(library: SeccompLibrary): Architecture[] {
  return SECCOMP_ARCHES.flatMap((arch) => {
    const token = tokenOf(library, arch);
    return token === undefined ? [] : [{ name: libraryName(arch), token, audit: auditOf(token) }];
  });
}
