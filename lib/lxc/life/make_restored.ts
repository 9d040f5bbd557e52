/** From a plan and an image to a container that runs. */

import { createLocked } from "../../container/create.ts";
import { type CriuOptions, Restorer } from "../../container/restorer.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import type { StateDirectory } from "../../state/directory.ts";
import type { SystemPlan } from "../plan/types.ts";
import { SystemAttendant } from "./attendant.ts";
import { imageOptionsOf } from "./checkpoint.ts";
import { tellState } from "./events.ts";
import { asPlanned, inTheirLines, requestOf } from "./make.ts";

/** Makes a container in a state directory of its own; its processes go on where they were. */
export function restoreSystem(
  given: LoadedRuntime,
  directory: StateDirectory,
  plan: SystemPlan,
  image: CriuOptions,
): Promise<void> {
  return inTheirLines(plan, async () => {
    const { options, bundle } = requestOf(directory, plan);
    const runtime = asPlanned(given, plan);
    using attendant = new SystemAttendant(runtime, directory, plan);
    const restorer = new Restorer({ ...image, ...imageOptionsOf(plan) }, attendant);
    await createLocked(runtime, options, bundle, restorer, async ({ pid, pidfd }) => {
      runtime.helper.close(pidfd);
      await attendant.tellCreated(runtime, directory.id, pid);
      await tellState(runtime, directory.id, "RUNNING");
    });
  });
}
