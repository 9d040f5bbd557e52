/** newuidmap(1) and newgidmap(1), which write the maps that an ordinary user may not. */

import { ENOENT } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import type { IdMapping } from "../spec/types/config.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { ToolEnding } from "../body/body.ts";
import { ownName, ownRanges, type SubordinateFile } from "./subordinate_ids.ts";

/** One of the two tools. */
export interface MapTool {
  readonly tool: "newuidmap" | "newgidmap";
  readonly subordinate: SubordinateFile;
  readonly configPath: "linux.uidMappings" | "linux.gidMappings";
}

/** Has the tool write one map. Throws RuntsError with what the tool says, and why. */
export async function runMapTool(
  { body, caller: { uid } }: LoadedRuntime,
  pid: number,
  { tool, subordinate, configPath }: MapTool,
  mappings: readonly IdMapping[],
  own: number,
): Promise<void> {
  const map = mappings.flatMap((one) => [one.containerID, one.hostID, one.size]);
  const args = [pid, ...map].map(String);
  let output: ToolEnding;
  try {
    output = await body.runTool(tool, args);
  } catch (cause) {
    const missing = errnoOf(cause) === ENOENT;
    throw new RuntsError(`run ${tool}`, {
      configPath,
      cause,
      hint: missing
        ? "more than one id can be mapped only with the uidmap package, or as root"
        : undefined,
    });
  }
  if (output.code === 0) return;
  const said = new TextDecoder().decode(output.stderr).trim();
  throw new RuntsError(`${tool} refuses to map ${map.join(" ")}`, {
    configPath,
    cause: new Error(quote(said.replace(`${tool}: `, ""))),
    hint: whyNotAllowed(tool, subordinate, mappings, uid, own),
  });
}

/** What is wrong: the user, the ranges that it has, or the tool itself. */
function whyNotAllowed(
  tool: MapTool["tool"],
  file: SubordinateFile,
  mappings: readonly IdMapping[],
  uid: number,
  own: number,
): string | undefined {
  const name = ownName(uid);
  if (name === undefined) return `uid ${uid} has no entry in /etc/passwd, which ${tool} needs`;
  const ranges = ownRanges(file, uid);
  if (ranges.length === 0) return `${file} has no entry for ${quote(name)}`;
  const allowed = [...ranges, { start: own, count: 1 }];
  const strange = mappings.find(({ hostID, size }) =>
    !allowed.some(({ start, count }) => hostID >= start && hostID + size <= start + count)
  );
  if (strange === undefined) {
    return `${tool} must be set-user-ID root, or have the capabilities of its file`;
  }
  const list = ranges.map(({ start, count }) => `${start} to ${start + count - 1}`);
  return `${file} allows ${quote(name)} only ${list.join(", ")}`;
}
