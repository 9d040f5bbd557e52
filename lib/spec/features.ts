/** features.md: the document that `features` prints. Its lists are those that the code works with. */

import { OCI_VERSION, OCI_VERSION_MIN } from "../base/version.ts";
import { CAPABILITIES } from "./values/capabilities.ts";
import { MOUNT_OPTIONS } from "./values/mount_options.ts";
import {
  HOOK_KINDS,
  MEMORY_POLICY_FLAGS,
  MEMORY_POLICY_MODES,
  NAMESPACE_TYPES,
  SECCOMP_ACTIONS,
  SECCOMP_ARCHES,
  SECCOMP_FLAGS,
  SECCOMP_OPERATORS,
} from "./values/names.ts";
import type { Features, LinuxFeatures, SeccompFeatures } from "./types/config.ts";

/** What other rooms know of themselves. */
interface FeatureParts
  extends Pick<LinuxFeatures, "cgroup" | "apparmor" | "selinux" | "intelRdt" | "netDevices"> {
  /** What the seccomp library adds or lacks; its lists replace those of the specification. */
  readonly seccomp?: SeccompFeatures;
  /** Of runts itself, as the versions of what it was built from. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotations of config.json that change what runts does; a final "." makes it a prefix. */
  readonly configAnnotations?: readonly string[];
}

/** The features document. Lists are sorted but for capabilities, which go by number. */
export function features(parts: FeatureParts): Features {
  const { annotations = {}, configAnnotations = [], seccomp, ...linux } = parts;
  return {
    ociVersionMin: OCI_VERSION_MIN,
    ociVersionMax: OCI_VERSION,
    hooks: HOOK_KINDS,
    mountOptions: Object.keys(MOUNT_OPTIONS).sort(),
    linux: {
      namespaces: NAMESPACE_TYPES.toSorted(),
      capabilities: CAPABILITIES,
      seccomp: {
        enabled: true,
        actions: SECCOMP_ACTIONS.toSorted(),
        operators: SECCOMP_OPERATORS.toSorted(),
        archs: SECCOMP_ARCHES.toSorted(),
        knownFlags: SECCOMP_FLAGS.toSorted(),
        supportedFlags: SECCOMP_FLAGS.toSorted(),
        ...seccomp,
      },
      memoryPolicy: {
        modes: MEMORY_POLICY_MODES.toSorted(),
        flags: MEMORY_POLICY_FLAGS.toSorted(),
      },
      mountExtensions: { idmap: { enabled: true } },
      ...linux,
    },
    annotations,
    potentiallyUnsafeConfigAnnotations: configAnnotations.toSorted(),
  };
}
