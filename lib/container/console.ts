/** Whether terminal and console socket fit. */

import { quote, RuntsError } from "../errors.ts";
import type { Spec } from "../spec/types.ts";

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
