/** `ps`: the processes of a container. */

import { loadHelper } from "../../ffi/helper.ts";
import { decodeBytes } from "../base/bytes.ts";
import { ENOENT } from "../base/errno.ts";
import { errnoOf, numberOf, quote, RuntsError } from "../base/errors.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { inCommand } from "../base/command.ts";
import { membersOf } from "../state/members.ts";
import { selectRows } from "../host/ps_table.ts";
import type { ContainerName, GlobalOptions } from "../caller/options.ts";

/** Process ids, as the host sees them, of all processes of the container. */
export function ps(global: GlobalOptions, options: ContainerName): Promise<number[]> {
  return inCommand("ps", options.id, async () => {
    const { status, intent } = inspect(new StateDirectory(global.root, options.id));
    // Until create has its cgroup, whoever is in there is a stranger.
    return intent?.hasCgroup === false ? [] : (await membersOf(status))();
  });
}

/** The rows that ps(1) has for processes, under its headings; names keep their bytes (lib/base/bytes.ts). */
export function psTable(
  id: string,
  pids: readonly number[],
  args: readonly string[],
): Promise<string> {
  return inCommand("ps", id, async () => {
    await loadHelper(); // from then on it can be waited for
    const options = { args: args.length > 0 ? [...args] : ["-ef"], cwd: "/" };
    const attempt = `run ${quote(["ps", ...options.args].join(" "))}`;
    let output: Deno.CommandOutput;
    try {
      output = await new Deno.Command("ps", options).output();
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
