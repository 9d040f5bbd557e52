/** `lxc freeze` and `lxc unfreeze`. */

import { RuntsError } from "../../base/errors.ts";
import { pause, resume } from "../../container/pause.ts";
import { load } from "../../runtime/load.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { tellState } from "./events.ts";
import { systemNow } from "./state.ts";

/** Freezes a container that runs, or lets it go on; one that is so already is left alone. */
export async function freezeSystem(runtime: Runtime, id: string, frozen: boolean): Promise<void> {
  const { state, pid } = systemNow(runtime, id);
  if (pid === undefined) throw new RuntsError("the container does not run");
  if ((state === "FROZEN") === frozen) return;
  const loaded = await load(runtime);
  if (frozen) {
    await tellState(loaded, id, "FREEZING");
    await pause(loaded, { id });
    await tellState(loaded, id, "FROZEN");
  } else {
    await resume(loaded, { id });
    await tellState(loaded, id, "THAWED");
    await tellState(loaded, id, "RUNNING");
  }
}
