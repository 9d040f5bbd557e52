/** `--version`: of runts, of the specification, and of what runts stands on. */

export { builtCommit } from "../../ffi/built.ts";
import { loadSeccomp } from "../../ffi/seccomp.ts";
import { OCI_VERSION, VERSION } from "../base/version.ts";

export interface Versions {
  readonly runts: string;
  /** Newest version of the runtime specification that is implemented. */
  readonly spec: string;
  readonly deno: string;
  readonly v8: string;
  /** Absent when the library is not installed. */
  readonly libseccomp?: string;
}

/** The versions of this runtime. */
export function versions(): Versions {
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
