/** Console sockets: whether there should be one, and the way to whoever listens there. */

import { numberOf, quote, RuntsError } from "../base/errors.ts";
import type { Spec } from "../spec/types/config.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { absoluteBytes } from "../base/absolute.ts";

/** A terminal of a detached container needs somebody to take its master, and only then. */
export function checkConsole(spec: Spec, consoleSocket: string | undefined): void {
  const terminal = spec.process?.terminal === true;
  if (terminal && !consoleSocket) {
    throw new RuntsError("cannot allocate a terminal without a console socket", {
      configPath: "process.terminal",
      hint: "give --console-socket PATH, or set process.terminal to false",
    });
  }
  if (!terminal && consoleSocket) {
    throw new RuntsError(`console socket ${quote(consoleSocket)} is given, but no terminal`, {
      configPath: "process.terminal",
      hint: "leave --console-socket away, or set process.terminal to true",
    });
  }
}

/** Connects to a console socket; the owner of the descriptor closes it. */
export async function connectConsole(
  { body, caller }: LoadedRuntime,
  path: string,
): Promise<number> {
  try {
    return await body.connect(absoluteBytes(caller, path));
  } catch (cause) {
    throw new RuntsError(`connect to console socket ${quote(path)}`, numberOf(cause));
  }
}
