/** What a cgroup's limits have to do with the death or the failure of its processes. */

import { oomKills } from "./oom.ts";
import { readFile } from "./files.ts";
import type { CgroupRecord } from "./types.ts";

/**
 * Whether the kernel killed for lack of memory, in words for an error: limit, use and peak.
 * Undefined when it did not. The limit itself is often the cause: one too small to start.
 */
export function memoryTrouble(record: CgroupRecord): string | undefined {
  const kills = oomKills(record);
  if (kills === 0) return undefined;
  const v1 = record.paths["memory"];
  const names = v1 === undefined
    ? ["memory.max", "memory.current", "memory.peak"]
    : ["memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes"];
  const directory = v1 ?? record.paths[""];
  const [limit, used, peak] = names.map((name) => readFile(`${directory}/${name}`));
  const parts = [`memory limit ${limit ?? "unknown"} bytes`, `in use ${used ?? "unknown"}`];
  if (peak !== undefined) parts.push(`at most ${peak}`);
  const killed = kills === 1 ? "a process" : `${kills} processes`;
  return `the kernel killed ${killed} of the container for lack of memory (${parts.join(", ")}); ` +
    "the limit is too low";
}
