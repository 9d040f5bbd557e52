/** A container that is being started is not changed meanwhile, and one that is being changed not started. */

import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { refusePartial } from "./claim.ts";
import { lockDefinition } from "./lock.ts";

/** Takes the lock of what is to be started. Throws RuntsError for what was not made to its end. */
export async function lockToStart(
  runtime: LoadedRuntime,
  { name, directory }: { readonly name: string; readonly directory: string },
): Promise<Disposable> {
  await refusePartial(runtime, name, directory);
  return await lockDefinition(runtime, directory.slice(0, -name.length - 1), name);
}
