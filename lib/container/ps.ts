/** `ps`: the processes of a container. */

import { loadHelper } from "../../ffi/helper.ts";
import { RuntsError } from "../base/errors.ts";
import { StateDirectory } from "../state/directory.ts";
import { inspect } from "../state/inspect.ts";
import { inCommand } from "../base/command.ts";
import { membersOf } from "../state/members.ts";
import type { ContainerName, GlobalOptions } from "../caller/options.ts";

/** Process ids, as the host sees them, of all processes of the container. */
export function ps(global: GlobalOptions, options: ContainerName): Promise<number[]> {
  return inCommand("ps", options.id, async () => {
    const { status, intent } = inspect(new StateDirectory(global.root, options.id));
    // Until create has its cgroup, whoever is in there is a stranger.
    return intent?.hasCgroup === false ? [] : (await membersOf(status))();
  });
}

/** The rows that ps(1) has for processes, under its headings. */
export function psTable(
  id: string,
  pids: readonly number[],
  args: readonly string[],
): Promise<string> {
  return inCommand("ps", id, async () => {
    await loadHelper(); // from then on it can be waited for
    const options = { args: args.length > 0 ? [...args] : ["-ef"], cwd: "/" };
    const { code, stdout, stderr } = await new Deno.Command("ps", options).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    if (code !== 0) {
      throw new RuntsError(`run "ps ${args.join(" ")}"`, { cause: text(stderr).trim() });
    }
    return selectRows(text(stdout), new Set(pids));
  });
}

/**
 * The heading and the rows whose PID is one of these.
 * @internal Exported for tests.
 */
export function selectRows(table: string, pids: ReadonlySet<number>): string {
  const [heading = "", ...rows] = table.split("\n").filter((line) => line !== "");
  const column = heading.trim().split(/\s+/).indexOf("PID");
  if (column < 0) throw new RuntsError("find the PID column in what ps prints");
  const chosen = rows.filter((row) => pids.has(Number(row.trim().split(/\s+/)[column])));
  return [heading, ...chosen].map((line) => `${line}\n`).join("");
}
