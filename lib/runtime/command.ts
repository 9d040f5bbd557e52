/** The beginning of every verb: whose runtime it is, and its name in whatever it throws: `start "web": …`. */

import { isRuntsError, quote, RuntsError } from "../base/errors.ts";
import { type Runtime, runtimeOf, type RuntimeOrSettings } from "./runtime.ts";

/**
 * Runs a verb's body; every error leaves it as a {@linkcode RuntsError} that names the command, but for
 * the reason of a signal that was aborted.
 */
export async function inCommand<T>(
  given: RuntimeOrSettings,
  verb: string,
  id: string,
  body: (runtime: Runtime) => Promise<T> | T,
  signal?: AbortSignal,
): Promise<T> {
  const runtime = runtimeOf(given);
  await runtime.turn();
  try {
    return await runtime.timed(`${verb} ${quote(id)}`, () => body(runtime));
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw error;
    const known = isRuntsError(error)
      ? error
      : new RuntsError("unexpected failure", { cause: error });
    throw known.with({ command: `${verb} ${quote(id)}` });
  }
}
