/** `lxc attach`: one more program in a container. */

import type { RuntimeOrSettings } from "../../runtime/runtime.ts";
import { exec } from "../../container/exec.ts";

/** What is run. */
interface AttachOptions {
  /** Of the container, as runts has it. */
  readonly id: string;
  readonly args: readonly string[];
  readonly tty: boolean;
}

/** Runs it, and gives its exit code. */
export function attachSystem(given: RuntimeOrSettings, options: AttachOptions): Promise<number> {
  return exec(given, options);
}
