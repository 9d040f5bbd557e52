/** Names the command in whatever a verb throws: `start "web": …`. */

import { isRuntsError, quote, RuntsError } from "./errors.ts";

/** Runs a verb's body; every error leaves it as a {@linkcode RuntsError} that names the command. */
export async function inCommand<T>(
  verb: string,
  id: string,
  body: () => Promise<T> | T,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const known = isRuntsError(error)
      ? error
      : new RuntsError("unexpected failure", { cause: error });
    throw known.with({ command: `${verb} ${quote(id)}` });
  }
}
