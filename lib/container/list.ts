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

/**
 * The containers of a root, by id, each as it is when it is asked for. A root that is not there has none.
 */
export async function* containers(given: RuntimeOrSettings = {}): AsyncGenerator<ListEntry> {
  const runtime = runtimeOf(given);
  for (const id of listIds(runtime.root)) {
    await runtime.turn();
    const entry = entryOf(runtime, id);
    if (entry !== undefined) yield entry;
  }
}

/** All of them at once. */
export function list(given: RuntimeOrSettings = {}): Promise<ListEntry[]> {
  return Array.fromAsync(containers(given));
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
