/** `exec --supervised`, seen from a terminal. */

import { joinStreams } from "../cli/join.ts";
import { isRuntsError } from "../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { closeStdin, resize } from "../supervise/attach.ts";
import { execSupervised, type SupervisedExecOptions } from "../supervise/exec.ts";
import { wait } from "../supervise/wait.ts";

/** Exit code of an exec that failed itself, as runc has it. */
const EXEC_FAILED = 255;

/** Detached, its name is printed; else its streams are ours until it ends, and its exit code, too. */
export async function runSupervised(
  runtime: Runtime,
  options: SupervisedExecOptions,
  print: (text: string) => void,
): Promise<number> {
  const attach = !options.detach;
  try {
    const { name, streams } = await execSupervised(runtime, { ...options, attach });
    if (streams === undefined) {
      print(`${name}\n`);
      return 0;
    }
    const named = { id: options.id, process: name };
    using _detach = streams;
    const parted = await joinStreams(streams, {
      input: options.interactive === true || options.terminal === true,
      resize: (columns, rows) => resize(runtime, { ...named, columns, rows }),
      inputEnds: () => closeStdin(runtime, named),
    });
    if (typeof parted === "object") return 128 + parted.signal;
    return (await wait(runtime, named)).code;
  } catch (error) {
    throw isRuntsError(error) ? error.with({ exitCode: EXEC_FAILED }) : error;
  }
}
