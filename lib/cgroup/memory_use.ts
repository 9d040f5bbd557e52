/** memory.checkBeforeUpdate: a limit below what is used is refused before anything changes. */

import { RuntsError } from "../base/errors.ts";
import type { Resources } from "../spec/types/config.ts";
import { readFile } from "./files.ts";

/** `directory`: of the memory controller. v2 would take such a limit, and kill. */
export function checkMemoryUse(
  directory: string | undefined,
  resources: Resources,
  prefix: string,
): void {
  const { limit, checkBeforeUpdate } = resources.memory ?? {};
  if (directory === undefined || !checkBeforeUpdate) return;
  if (limit === undefined || BigInt(limit) <= 0n) return;
  const used = readFile(`${directory}/memory.current`) ??
    readFile(`${directory}/memory.usage_in_bytes`);
  if (used === undefined || BigInt(used) <= BigInt(limit)) return;
  throw new RuntsError(`limit memory to ${limit} bytes`, {
    configPath: `${prefix}memory.limit`,
    cause: `the container uses ${used} bytes, and checkBeforeUpdate is set`,
  });
}
