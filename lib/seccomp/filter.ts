/** The filter of system calls, if the configuration wants one. */

import type { SeccompFilter } from "../plan/plan.ts";
import type { FilterCache } from "./cache.ts";
import type { Spec } from "../spec/types/config.ts";

/**
 * Compiles the filter of a container's processes, or finds it compiled.
 *
 * @param cache where filters are kept; without it the filter is compiled afresh
 */
export async function seccompFilter(
  { linux, annotations = {} }: Spec,
  cache?: FilterCache,
): Promise<SeccompFilter | undefined> {
  const profile = linux?.seccomp;
  if (profile === undefined && annotations["run.oci.seccomp_bpf_data"] === undefined) {
    return undefined;
  }
  const { compileSeccomp } = await import("./mod.ts");
  return await compileSeccomp(profile, { annotations, ...(cache && { cache }) });
}
