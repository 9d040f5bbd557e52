/** Names the command in whatever a verb throws: `start "web": …`. */

import { isRuntsError, quote, RuntsError } from "./errors.ts";
import { turn } from "./patience.ts";

/**
 * Runs a verb's body; every error leaves it as a {@linkcode RuntsError} that names the command, but for
 * the reason of a signal that was aborted.
 */
export async function inCommand<T>(
  verb: string,
  id: string,
  body: () => Promise<T> | T,
  signal?: AbortSignal,
): Promise<T> {
  await turn();
  try {
    return await body();
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw error;
    const known = isRuntsError(error)
      ? error
      : new RuntsError("unexpected failure", { cause: error });
    throw known.with({ command: `${verb} ${quote(id)}` });
  }
}
