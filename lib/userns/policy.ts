/** Why a host keeps its users from making user namespaces. Looked up when something was refused. */

import { EACCES, EPERM } from "../base/errno.ts";
import { RuntsError } from "../base/errors.ts";
import { readFile } from "../base/files.ts";
import { NAMESPACE_FLAGS } from "../base/linux.ts";
import type { RememberedOp } from "../plan/failure.ts";
import type { Op } from "../wire/ops.ts";

/** How the text of a file is had. */
type Read = (path: string) => string | undefined;

/** The policy that refuses the namespace itself, if there is one. `sysctls`: where /proc/sys is. */
export function whyRefused(sysctls = "/proc/sys", read: Read = readFile): string | undefined {
  const is = (name: string, value: string) => read(`${sysctls}/${name}`) === value;
  if (is("user/max_user_namespaces", "0")) return "user.max_user_namespaces is 0";
  if (is("kernel/unprivileged_userns_clone", "0")) {
    return "kernel.unprivileged_userns_clone is 0";
  }
  return whyPowerless(sysctls, read);
}

/** AppArmor may grant a namespace without the rights that belong to it. */
function whyPowerless(sysctls: string, read: Read = readFile): string | undefined {
  if (read(`${sysctls}/kernel/apparmor_restrict_unprivileged_userns`) !== "1") return undefined;
  return "AppArmor restricts user namespaces " +
    "(kernel.apparmor_restrict_unprivileged_userns is 1): give runts a profile with userns";
}

/**
 * Adds the policy to the failure of a container with a new user namespace: in place of a general
 * hint when making namespaces failed, else where a right is missing and there is no hint yet.
 *
 * @param failed index of the operation in the plan
 */
export function explainRefusal(
  error: RuntsError,
  failed: number,
  ops: readonly (Op | RememberedOp)[],
  sysctls = "/proc/sys",
): RuntsError {
  const makesUser = ops.some((op) =>
    op.op === "clone" && "flags" in op && (op.flags & NAMESPACE_FLAGS.user) !== 0
  );
  const { errno, hint: known } = error.data;
  if (!makesUser || errno === undefined) return error;
  const isClone = ops[failed]?.op === "clone";
  const isPermission = errno === EPERM || errno === EACCES;
  if (!isClone && (!isPermission || known !== undefined)) return error;
  const hint = isClone ? whyRefused(sysctls) : whyPowerless(sysctls);
  return hint === undefined ? error : new RuntsError(error.operation, { ...error.data, hint });
}
