/** Whole trees of files, copied and removed by the helper library in a thread of its own. */

import { ECANCELED } from "../lib/base/errno.ts";
import { quote, RuntsError } from "../lib/base/errors.ts";
import { cString, fromCString, holding, outside } from "./call.ts";
import type { Helper } from "./helper.ts";
import { furtherFunctions } from "./library.ts";

/** Each with its C prototype, as c/helper/tree.h states it. */
export const TREE_SYMBOLS = {
  // int32_t rts_tree_copy(const char *from, const char *to, struct tree_report *report);
  rts_tree_copy: {
    parameters: ["buffer", "buffer", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // int32_t rts_tree_remove(const char *path, struct tree_report *report);
  rts_tree_remove: { parameters: ["buffer", "buffer"], result: "i32", nonblocking: true },
} as const satisfies Deno.ForeignLibraryInterface;

/** struct tree_report: where its parts are, and how long it is. */
export const TreeReport = { stop: 0, files: 4, call: 8, path: 32, size: 32 + 4096 } as const;

/** What a copy does with what is there already; all else it does with what it makes. */
const OF_SOURCE = ["open", "read", "look at"];

/** Work on trees; each may be ended early, and then throws the signal's reason. */
interface TreeCalls {
  /**
   * Copies a directory to a place where nothing is yet: owners, modes, times, attributes, hard links,
   * holes, nodes; data is shared where the filesystem can. What was copied before a failure stays.
   */
  copy(from: string, to: string, signal?: AbortSignal): Promise<void>;
  /** Removes a directory and all that is in it; a mount in it is EBUSY, and keeps what is below it. */
  remove(path: string, signal?: AbortSignal): Promise<void>;
}

/** The calls. The helper must have been loaded. */
export function treeCalls(_helper: Pick<Helper, "close">): TreeCalls {
  const functions = furtherFunctions(TREE_SYMBOLS);
  return {
    copy(from, to, signal) {
      const [source, target] = [cString(from), cString(to)];
      return work(
        (report) =>
          holding(functions.rts_tree_copy(source, target, report), source, target, report),
        (call, path) => `${call} ${quote((OF_SOURCE.includes(call) ? from : to) + path)}`,
        signal,
      );
    },
    remove(path, signal) {
      const whole = cString(path);
      return work(
        (report) => holding(functions.rts_tree_remove(whole, report), whole, report),
        (call, below) => `${call} ${quote(path + below)}`,
        signal,
      );
    },
  };
}

async function work(
  call: (report: Uint8Array<ArrayBuffer>) => Promise<number>,
  operation: (call: string, path: string) => string,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const report = outside(TreeReport.size);
  const stop = () => Atomics.store(new Int32Array(report.buffer, TreeReport.stop, 1), 0, 1);
  signal?.addEventListener("abort", stop);
  try {
    const result = await call(report);
    if (result >= 0) return;
    if (result === -ECANCELED) signal?.throwIfAborted();
    const what = fromCString(report.subarray(TreeReport.call, TreeReport.path));
    const path = fromCString(report.subarray(TreeReport.path));
    throw new RuntsError(operation(what, path), { errno: -result });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
