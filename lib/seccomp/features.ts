/** What filters can be had of: for `features`. */

import { loadSeccomp, type SeccompLibrary } from "../../ffi/seccomp.ts";
import { SECCOMP_ARCHES, SECCOMP_FLAGS } from "../spec/values/names.ts";
import type { SeccompFeatures, SeccompFlag } from "../spec/types/config.ts";
import { tokenOf } from "./architectures.ts";

/** First Linux with SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV; the others are older than what runs. */
const WAIT_KILLABLE_SINCE = [5, 19] as const;

/**
 * Whether there is libseccomp, its architectures, and the flags of the kernel.
 *
 * @param kernel release of Linux, as "6.1.0-13-amd64"
 */
export function seccompFeatures(kernel: string = Deno.osRelease()): SeccompFeatures {
  let library: SeccompLibrary;
  try {
    library = loadSeccomp();
  } catch {
    return { enabled: false, archs: [], supportedFlags: [] };
  }
  return {
    enabled: true,
    archs: SECCOMP_ARCHES.filter((name) => tokenOf(library, name) !== undefined).toSorted(),
    supportedFlags: SECCOMP_FLAGS.filter((flag) => isSupported(flag, kernel)).toSorted(),
  };
}

function isSupported(flag: SeccompFlag, kernel: string): boolean {
  if (flag !== "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") return true;
  const [major = 0, minor = 0] = kernel.split(".").map((part) => parseInt(part));
  const [wantedMajor, wantedMinor] = WAIT_KILLABLE_SINCE;
  return major > wantedMajor || major === wantedMajor && minor >= wantedMinor;
}
