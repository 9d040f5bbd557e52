/** The files that annotations name for the output of hooks. */

import type { Helper } from "../ffi/helper.ts";
import { RuntsError } from "./errors.ts";

const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const O_APPEND = 0o2000;

/**
 * Opens one for appending, and makes it if it is missing; `configPath` names it in errors. Nobody
 * but its owner may read a new one, because hooks may tell what they are given.
 */
export function openHookFile(helper: Helper, path: string, configPath: string): number {
  try {
    return helper.open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600);
  } catch (error) {
    throw error instanceof RuntsError ? error.with({ configPath }) : error;
  }
}
