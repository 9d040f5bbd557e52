/** What is left of a task that came to nothing. */

import { reason } from "../base/errors.ts";
import { removeQuietly } from "../base/files.ts";
import { remove } from "../container/delete.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import { taskMark } from "./places.ts";
import type { GroupFiles, TaskEntry } from "./record.ts";
import { unmountRootfs } from "./rootfs.ts";

/** Removes it, and what is written down of it; what fails does not keep the rest. */
export async function clearTask(
  runtime: LoadedRuntime,
  { id, bundle }: TaskEntry,
  files: GroupFiles,
): Promise<void> {
  const steps = [
    () => remove(runtime, { id, force: true }),
    () => unmountRootfs(runtime.caller, `${bundle}/rootfs`),
    () => removeQuietly(taskMark(bundle)),
    () => files.remove(id),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      runtime.warn(`clean up ${id}: ${reason(error)}`);
    }
  }
}
