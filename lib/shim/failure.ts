/** Failures as clients of containerd know them: by their codes, and some by their words. */

import { isRuntsError, reason } from "../base/errors.ts";
import { Code, StatusError } from "./ttrpc.ts";

export function notFound(what: string): StatusError {
  return new StatusError(Code.notFound, `${what}: not found`);
}

/** For a process that has ended, or does not run yet. */
export function finished(): StatusError {
  return new StatusError(Code.notFound, "process already finished: not found");
}

/** What containerd's own shim has no code for. */
export function refused(text: string): StatusError {
  return new StatusError(Code.unknown, text);
}

/** Of whatever was thrown. `doing`: what clients look for, as `create`. */
export function statusOf(error: unknown, doing?: string): StatusError {
  if (error instanceof StatusError) return error;
  const text = reason(error);
  if (isRuntsError(error)) {
    if (error.operation === "container does not exist") return notFound(text);
    if (error.operation.startsWith("container not running") && doing === undefined) {
      return finished();
    }
  }
  const prefix = doing === undefined ? "" : `OCI runtime ${doing} failed: `;
  return new StatusError(Code.unknown, prefix + text);
}
