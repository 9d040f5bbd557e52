/** `list`: every container below a root. One that cannot be read is listed as such. */

import { reason } from "../base/errors.ts";
import { listIds, StateDirectory } from "../state/directory.ts";
import { doesNotExist, inspect } from "../state/inspect.ts";
import { OCI_VERSION } from "../base/version.ts";
import { type StateDocument, stateDocument } from "./state.ts";
import { type Runtime, runtimeOf, type RuntimeOrSettings } from "../runtime/runtime.ts";

/** A row of `list`. */
export interface ListEntry extends Omit<StateDocument, "status"> {
  /** `unknown` when the entry could not be read. */
  readonly status: StateDocument["status"] | "unknown";
  /** Why it could not be read. */
  readonly error?: string;
}

/** The containers of a root, by id. A root that is not there has none. */
export function list(given: RuntimeOrSettings): ListEntry[] {
  const runtime = runtimeOf(given);
  const entries: ListEntry[] = [];
  for (const id of listIds(runtime.root)) {
    const entry = entryOf(runtime, id);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

function entryOf(runtime: Runtime, id: string): ListEntry | undefined {
  let directory: StateDirectory | undefined;
  try {
    directory = new StateDirectory(runtime, id);
    return stateDocument(directory, inspect(directory));
  } catch (error) {
    // At that moment, whatever has been made since.
    if (reason(error) === doesNotExist().message) return undefined;
    if (directory !== undefined && isNone(directory)) return undefined;
    return {
      ociVersion: OCI_VERSION,
      id,
      pid: 0,
      status: "unknown",
      bundle: "",
      rootfs: "",
      created: "",
      owner: "",
      error: reason(error),
    };
  }
}

/** Deleted since the root was read, or made a moment ago, or left by a create that was killed then. */
function isNone(directory: StateDirectory): boolean {
  try {
    return !directory.exists() || directory.isUnused();
  } catch {
    return false;
  }
}
