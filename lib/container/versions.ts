/** `--version`: of runts, of the specification, and of what runts stands on. */

import { openLibrary } from "../../ffi/bind.ts";
import { OCI_VERSION, VERSION } from "../version.ts";

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

/** seccomp_version(3): three unsigned integers. */
function seccompVersion(): string | undefined {
  try {
    const library = openLibrary("libseccomp.so.2", {
      // const struct scmp_version *seccomp_version(void);
      seccomp_version: { parameters: [], result: "pointer" },
    });
    const pointer = library.seccomp_version();
    if (pointer === null) return undefined;
    const view = new Deno.UnsafePointerView(pointer);
    return [0, 4, 8].map((offset) => view.getUint32(offset)).join(".");
  } catch {
    return undefined;
  }
}
