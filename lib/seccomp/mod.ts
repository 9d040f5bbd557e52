/** `linux.seccomp`: the filter of a container's processes. */

import { formatJson } from "../spec/json/json.ts";
import type { Seccomp, SeccompFlag } from "../spec/types/config.ts";
import type { SeccompFilter } from "../plan/plan.ts";
import { type FilterCache, readCache } from "./cache.ts";

/** Annotation: a program (base64) to load instead of what the profile compiles to. */
const PROGRAM_ANNOTATION = "run.oci.seccomp_bpf_data";
/** Annotation: unless "0", a system call that the library does not know is an error. */
const STRICT_ANNOTATION = "run.oci.seccomp_fail_unknown_syscall";

/** SECCOMP_FILTER_FLAG_* of seccomp(2). */
const FLAGS: Readonly<Record<SeccompFlag, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1 << 0,
  SECCOMP_FILTER_FLAG_LOG: 1 << 1,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 1 << 2,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 1 << 5,
};
/** SECCOMP_FILTER_FLAG_TSYNC_ESRCH: without it TSYNC and a listener exclude each other. */
const TSYNC_ESRCH = 1 << 4;

export interface SeccompOptions {
  /** Where compiled filters are kept; without it each one is compiled. */
  readonly cache?: FilterCache;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Compiles a profile, or finds it compiled. Throws RuntsError that names the part at fault. */
export async function compileSeccomp(
  profile: Seccomp | undefined,
  { cache, annotations = {} }: SeccompOptions,
): Promise<SeccompFilter> {
  const program = annotations[PROGRAM_ANNOTATION];
  if (profile === undefined || program !== undefined) {
    const { decodeAnnotation } = await import("./raw.ts");
    const filter = decodeAnnotation(PROGRAM_ANNOTATION, program ?? "");
    return { flags: flagBits(profile, false), filter, notify: false };
  }
  const notify = profile.syscalls?.some((rule) => rule.action === "SCMP_ACT_NOTIFY") ?? false;
  const strict = (annotations[STRICT_ANNOTATION] ?? "0") !== "0";
  const filter = await programOf(profile, strict, cache);
  return { flags: flagBits(profile, notify), filter, notify };
}

/** By default the profile does not slow the program down for the sake of side channels. */
function flagBits(profile: Seccomp | undefined, notify: boolean): number {
  const { flags = ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"] } = profile ?? {};
  const bits = flags.reduce((sum, flag) => sum | FLAGS[flag], 0);
  if (!notify) return bits & ~FLAGS.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  return bits & FLAGS.SECCOMP_FILTER_FLAG_TSYNC ? bits | TSYNC_ESRCH : bits;
}

async function programOf(
  profile: Seccomp,
  strict: boolean,
  cache: FilterCache | undefined,
): Promise<Uint8Array> {
  const key = cacheKey(profile, strict);
  const cached = cache === undefined ? undefined : readCache(cache, key);
  if (cached !== undefined) return cached;
  const { compileProfile } = await import("./compile.ts");
  if (profile.syscalls?.some(({ args }) => args !== undefined && args.length > 1)) {
    const { tryRules } = await import("./trial.ts");
    await tryRules(profile, strict);
  }
  const program = compileProfile(profile, { strict });
  if (cache !== undefined) {
    const { storeInCache } = await import("./cache_store.ts");
    storeInCache(cache, key, program);
  }
  return program;
}

/** All that the program depends on beside the library. */
function cacheKey(profile: Seccomp, strict: boolean): string {
  const { defaultAction, defaultErrnoRet, architectures, syscalls } = profile;
  const key = [Deno.build.arch, strict, defaultAction, defaultErrnoRet, architectures, syscalls];
  try {
    return JSON.stringify(key);
  } catch {
    return formatJson(key); // it has numbers beyond 2^53
  }
}
