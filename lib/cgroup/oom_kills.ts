/** How often the kernel has killed for memory, by one small read: every ending asks. */

import { readFile } from "../base/files.ts";
import type { CgroupRecord } from "./manager.ts";

/** How many processes of the cgroup the kernel has killed for its memory so far. */
export function oomKills({ paths }: Pick<CgroupRecord, "paths">): number {
  const memory = paths["memory"];
  const file = memory === undefined ? `${paths[""]}/memory.events` : `${memory}/memory.oom_control`;
  return Number(/^oom_kill (\d+)$/m.exec(readFile(file) ?? "")?.[1] ?? 0);
}
