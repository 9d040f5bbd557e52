/** `ps`: the processes of a container. */

import { load } from "../runtime/load.ts";
import type { RuntimeOrSettings } from "../runtime/runtime.ts";
import type { ToolEnding } from "../body/body.ts";
import { decodeBytes } from "../base/bytes.ts";
import { ENOENT } from "../base/errno.ts";
import { errnoOf, numberOf, quote, RuntsError } from "../base/errors.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { inCommand } from "../runtime/command.ts";
import { membersOf } from "../state/members.ts";
import { selectRows } from "../host/ps_table.ts";
import type { ContainerName } from "../caller/options.ts";

/** Process ids, as the host sees them, of all processes of the container. */
export function ps(given: RuntimeOrSettings, options: ContainerName): Promise<number[]> {
  return inCommand(given, "ps", options.id, async (runtime) => {
    const { status, intent } = inspect(new StateDirectory(runtime, options.id));
    // Until create has its cgroup, whoever is in there is a stranger.
    return intent?.hasCgroup === false ? [] : (await membersOf(runtime, status))();
  });
}

/** The rows that ps(1) has for processes, under its headings; names keep their bytes (lib/base/bytes.ts). */
export function psTable(
  given: RuntimeOrSettings,
  id: string,
  pids: readonly number[],
  args: readonly string[],
): Promise<string> {
  return inCommand(given, "ps", id, async (runtime) => {
    const { body } = await load(runtime);
    const words = args.length > 0 ? args : ["-ef"];
    const attempt = `run ${quote(["ps", ...words].join(" "))}`;
    let output: ToolEnding;
    try {
      output = await body.runTool("ps", words);
    } catch (cause) {
      const isMissing = errnoOf(cause) === ENOENT;
      throw new RuntsError(attempt, {
        ...numberOf(cause),
        hint: isMissing ? "ps of procps is not in the PATH of the caller" : undefined,
      });
    }
    const { code, stdout, stderr } = output;
    if (code !== 0) throw new RuntsError(attempt, { cause: decodeBytes(stderr).trim() });
    return selectRows(decodeBytes(stdout), new Set(pids));
  });
}
