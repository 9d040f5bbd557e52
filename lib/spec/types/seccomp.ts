/** config-linux.md, "Seccomp". */

import type * as names from "../values/names.ts";
import type { Wide } from "./resources.ts";
import type { State } from "./state.ts";

/** "Seccomp". */
export interface Seccomp {
  /** For what no rule is about. */
  readonly defaultAction: SeccompAction;
  /** Error number of a default action of SCMP_ACT_ERRNO; default: EPERM. */
  readonly defaultErrnoRet?: number;
  /** Those whose calls are filtered beside the host's own. */
  readonly architectures?: readonly SeccompArch[];
  /** seccomp(2). */
  readonly flags?: readonly SeccompFlag[];
  /** Unix socket of whoever answers for SCMP_ACT_NOTIFY. */
  readonly listenerPath?: string;
  /** Passed on to it. */
  readonly listenerMetadata?: string;
  /** Rules, by the names of calls. */
  readonly syscalls?: readonly SeccompRule[];
}

/** What becomes of some calls. */
export interface SeccompRule {
  /** Of the calls. */
  readonly names: readonly string[];
  /** What becomes of them. */
  readonly action: SeccompAction;
  /** Error number of SCMP_ACT_ERRNO, or the word of SCMP_ACT_TRACE. */
  readonly errnoRet?: number;
  /** All of them must match. */
  readonly args?: readonly SeccompArg[];
}

/** What an argument has to be. */
export interface SeccompArg {
  /** 0 to 5. */
  readonly index: number;
  /** What it is compared with. */
  readonly value: Wide;
  /** SCMP_CMP_MASKED_EQ: `value` is the mask, this what is compared with. */
  readonly valueTwo?: Wide;
  /** How. */
  readonly op: SeccompOperator;
}

/** What becomes of a call. */
export type SeccompAction = (typeof names.SECCOMP_ACTIONS)[number];

/** Ways of comparing. */
export type SeccompOperator = (typeof names.SECCOMP_OPERATORS)[number];

/** Flags of a filter. */
export type SeccompFlag = (typeof names.SECCOMP_FLAGS)[number];

/** Architectures, by the names of libseccomp. */
export type SeccompArch = (typeof names.SECCOMP_ARCHES)[number];

/** "The Container Process State": what the listener is sent. */
export interface ContainerProcessState {
  /** Version of the specification that it follows. */
  readonly ociVersion: string;
  /** Names of the descriptors, in the order of SCM_RIGHTS: `seccompFd`. */
  readonly fds: readonly string[];
  /** As the runtime sees it. */
  readonly pid: number;
  /** `listenerMetadata` of the filter. */
  readonly metadata?: string;
  /** Of the container. */
  readonly state: State;
}
