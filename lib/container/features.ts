/** `features`: what this runtime implements (features.md of the specification). */

import { seccompFeatures } from "../seccomp/features.ts";
import { features as document } from "../spec/features.ts";
import { HOOK_OUTPUTS } from "../spec/values/hook_outputs.ts";
import { PIDFD_RECEIVER } from "../spec/values/pidfd_receiver.ts";
import type { Features } from "../spec/types/config.ts";
import { versions } from "./versions.ts";

/** Annotations of config.json that change what runts does; a final "." makes it a prefix. */
const CONFIG_ANNOTATIONS = [
  "org.criu.config",
  "org.systemd.property.",
  HOOK_OUTPUTS.stderr,
  HOOK_OUTPUTS.stdout,
  "run.oci.delegate-cgroup",
  "run.oci.keep_original_groups",
  "run.oci.mount_context_type",
  PIDFD_RECEIVER,
  "run.oci.seccomp.receiver",
  "run.oci.seccomp_bpf_data",
  "run.oci.seccomp_fail_unknown_syscall",
  "run.oci.systemd.subgroup",
];

/** The features document. */
export async function features(): Promise<Features> {
  const { runts, libseccomp } = await versions();
  return document({
    cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
    apparmor: { enabled: true },
    selinux: { enabled: true },
    intelRdt: { enabled: true, schemata: true, monitoring: true },
    netDevices: { enabled: true },
    seccomp: seccompFeatures(),
    annotations: {
      "runts.version": runts,
      // By which clients know that there are checkpoint and restore.
      "org.opencontainers.runc.checkpoint.enabled": "true",
      ...(libseccomp !== undefined && { "io.github.seccomp.libseccomp.version": libseccomp }),
    },
    configAnnotations: CONFIG_ANNOTATIONS,
  });
}
