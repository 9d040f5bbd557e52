/** Annotations that name files for the output of hooks, as crun has them. */
export const HOOK_OUTPUTS = {
  stdout: "run.oci.hooks.stdout",
  stderr: "run.oci.hooks.stderr",
} as const;
