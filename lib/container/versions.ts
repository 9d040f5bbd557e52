/** `--version`: of runts, of the specification, and of what runts stands on. */

import { loadSeccomp } from "../../ffi/seccomp.ts";
import { OCI_VERSION, VERSION } from "../base/version.ts";

/** Versions of runts and of what it stands on. */
export interface Versions {
  /** Of runts. */
  readonly runts: string;
  /** Newest version of the runtime specification that is implemented. */
  readonly spec: string;
  /** Of Deno. */
  readonly deno: string;
  /** Of its V8. */
  readonly v8: string;
  /** Absent when the library is not installed. */
  readonly libseccomp?: string;
}

/** The versions of this runtime. */
// deno-lint-ignore require-await
export async function versions(): Promise<Versions> {
  const libseccomp = seccompVersion();
  return {
    runts: VERSION,
    spec: OCI_VERSION,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    ...(libseccomp !== undefined && { libseccomp }),
  };
}

function seccompVersion(): string | undefined {
  try {
    return loadSeccomp().version;
  } catch {
    return undefined;
  }
}
