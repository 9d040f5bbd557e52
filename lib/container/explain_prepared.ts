/** `explain --prepared`: what the front knows of a container. */

import { ENOENT } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { frontId } from "../base/front_id.ts";
import { inCommand } from "../runtime/command.ts";
import type { RuntimeOrSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { decodePrepared, type Prepared, PREPARED_FILE, PreparedFlag } from "../wire/prepared.ts";

/** The record of a container, to be read. */
interface PreparedView
  extends Omit<Prepared, "flags" | "beforePid" | "beforeState" | "afterState"> {
  /** Whether the front of this executable has written it; else it is not used. */
  readonly usable: boolean;
  /** The verbs that may go without Deno. */
  readonly verbs: readonly string[];
  /** What `state` prints, with an ellipsis for the pid and for the state. */
  readonly document: string;
}

/** Undefined where there is no record: every verb goes through Deno. */
export function explainPrepared(
  given: RuntimeOrSettings,
  id: string,
): Promise<PreparedView | undefined> {
  return inCommand(given, "explain", id, (runtime) => {
    const directory = new StateDirectory(runtime, id);
    inspect(directory);
    const bytes = readRecord(directory.file(PREPARED_FILE));
    return bytes && viewOf(decodePrepared(bytes));
  });
}

function readRecord(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    if (errnoOf(cause) === ENOENT) return undefined;
    throw new RuntsError(`read ${quote(path)}`, { cause });
  }
}

function viewOf(record: Prepared): PreparedView {
  const { flags, beforePid, beforeState, afterState, ...rest } = record;
  const has = (flag: number) => (flags & flag) !== 0;
  const all = has(PreparedFlag.noMembers) ? [] : ["kill --all"];
  return {
    usable: record.front === frontId(),
    verbs: [
      "state",
      "kill",
      ...all,
      ...has(PreparedFlag.noStart) ? [] : ["start"],
      ...has(PreparedFlag.noDelete) ? [] : ["delete"],
    ],
    ...rest,
    document: `${beforePid}…${beforeState}…${afterState}`,
  };
}
