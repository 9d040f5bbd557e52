/** The filter of system calls, if the configuration wants one. */

import type { SeccompFilter } from "../plan/types.ts";
import type { Spec } from "../spec/types.ts";
import type { GlobalOptions } from "./types.ts";

/** Compiles the filter of a container's processes, or finds it compiled in the state root. */
export async function seccompFilter(
  { root }: GlobalOptions,
  { linux, annotations = {} }: Spec,
): Promise<SeccompFilter | undefined> {
  const profile = linux?.seccomp;
  if (profile === undefined && annotations["run.oci.seccomp_bpf_data"] === undefined) {
    return undefined;
  }
  const { compileSeccomp } = await import("../seccomp/mod.ts");
  return await compileSeccomp(profile, { cache: root, annotations });
}
