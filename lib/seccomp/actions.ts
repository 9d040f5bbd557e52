/** Actions of filters as numbers (seccomp(2), "Seccomp filters"). */

import { RuntsError } from "../base/errors.ts";
import type { SeccompAction } from "../spec/types/config.ts";

/** SECCOMP_RET_*; SCMP_ACT_KILL is another name for killing the thread. */
export const RETURNS = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
} as const satisfies Record<SeccompAction, number>;

/** SECCOMP_RET_ACTION_FULL; the other bits are data, such as the error number. */
export const ACTION_MASK = 0xffff0000;

const EPERM = 1;
/** The kernel takes a greater number for this one (MAX_ERRNO); libseccomp wants less. */
const ERRNO_LIMIT = 4095;

/**
 * The value that a filter returns.
 *
 * @param errnoRet for ERRNO and TRACE; EPERM if it is not given
 * @param path JSON path of `errnoRet`, for the error
 */
export function returnValue(action: SeccompAction, errnoRet = EPERM, path = ""): number {
  const carriesErrno = action === "SCMP_ACT_ERRNO";
  if (!carriesErrno && action !== "SCMP_ACT_TRACE") return RETURNS[action];
  if (carriesErrno && errnoRet >= ERRNO_LIMIT) {
    throw new RuntsError(`${errnoRet} is no error number: it is not less than ${ERRNO_LIMIT}`, {
      configPath: path,
    });
  }
  return RETURNS[action] + errnoRet;
}
