/** config-linux.md, "Seccomp". */

import type * as names from "../values/names.ts";
import type { Wide } from "./resources.ts";
import type { State } from "./state.ts";

/** "Seccomp". */
export interface Seccomp {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly SeccompArch[];
  readonly flags?: readonly SeccompFlag[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly SeccompRule[];
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  /** All of them must match. */
  readonly args?: readonly SeccompArg[];
}

export interface SeccompArg {
  /** 0 to 5. */
  readonly index: number;
  readonly value: Wide;
  /** SCMP_CMP_MASKED_EQ: `value` is the mask, this what is compared with. */
  readonly valueTwo?: Wide;
  readonly op: SeccompOperator;
}

export type SeccompAction = (typeof names.SECCOMP_ACTIONS)[number];

export type SeccompOperator = (typeof names.SECCOMP_OPERATORS)[number];

export type SeccompFlag = (typeof names.SECCOMP_FLAGS)[number];

export type SeccompArch = (typeof names.SECCOMP_ARCHES)[number];

/** "The Container Process State": what the listener is sent. */
export interface ContainerProcessState {
  readonly ociVersion: string;
  /** Names of the descriptors, in the order of SCM_RIGHTS: `seccompFd`. */
  readonly fds: readonly string[];
  /** As the runtime sees it. */
  readonly pid: number;
  readonly metadata?: string;
  readonly state: State;
}
