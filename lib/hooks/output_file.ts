/** The files that annotations name for the output of hooks. */

import { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } from "../base/linux.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import type { OwnHelper } from "../runtime/runtime.ts";
import { ENXIO } from "../base/errno.ts";
import { errnoOf, RuntsError } from "../base/errors.ts";

/**
 * Opens one for appending, and makes it if it is missing; `configPath` names it in errors. Nobody
 * but its owner may read a new one, because hooks may tell what they are given.
 */
export function openHookFile(helper: OwnHelper, path: string, configPath: string): number {
  try {
    return openWritable(helper, path);
  } catch (error) {
    if (!(error instanceof RuntsError)) throw error;
    const hint = errnoOf(error) === ENXIO ? "a fifo needs a reader first" : undefined;
    throw error.with({ configPath, hint });
  }
}

/** Does not wait for the reader of a fifo; what hooks write to waits for its reader as usual. */
function openWritable(helper: OwnHelper, path: string): number {
  const flags = O_WRONLY | O_CREAT | O_APPEND;
  const opened = helper.open(path, flags | O_NONBLOCK, 0o600);
  try {
    return helper.open(ownDescriptor(opened), flags);
  } finally {
    helper.close(opened);
  }
}
