/** Spawning init: what it gets is opened before, and closed here after. */

import { EMFILE } from "../base/errno.ts";
import { errnoOf, isRuntsError } from "../base/errors.ts";
import { O_RDWR } from "../base/linux.ts";
import type { Helper } from "../../ffi/helper.ts";
import { encodePlan } from "../wire/encode.ts";
import type { Plan } from "../plan/plan.ts";
import { InitProcess, type SpawnOptions } from "./conversation.ts";
import { openSlots, type OwnFds } from "./descriptors.ts";
import type { Stdio } from "../caller/options.ts";

/** What to spawn init with. */
interface SpawnRequest extends Pick<SpawnOptions, "trace" | "preserve" | "cgroup"> {
  readonly plan: Plan;
  /** What is at hand for the plan's slots; it stays the caller's. */
  readonly own: OwnFds;
  /** Default `inherit`. */
  readonly stdio: Stdio | undefined;
}

/** Spawns init for a plan. */
export function spawnInit(helper: Helper, request: SpawnRequest): InitProcess {
  const { plan, own, stdio = "inherit", ...options } = request;
  const streams = standardStreams(helper, stdio);
  try {
    const slots = openSlots(helper, plan.slots, own);
    try {
      return new InitProcess(helper, {
        ...options,
        plan: encodePlan(plan.ops, helper.buildId),
        ops: plan.ops,
        fds: slots.fds,
        ...(streams.fds && { stdio: streams.fds }),
      });
    } catch (error) {
      if (errnoOf(error) !== EMFILE || !isRuntsError(error)) throw error;
      throw error.with({
        hint: "the caller's hard limit of open files is too low (ulimit -Hn)",
      });
    } finally {
      slots.close();
    }
  } finally {
    streams.close();
  }
}

/** Descriptors 0, 1 and 2 of a program; none for those of runts itself. */
interface Streams {
  readonly fds?: readonly [number, number, number];
  close(): void;
}

function standardStreams(helper: Helper, stdio: Stdio): Streams {
  if (stdio === "inherit") return { close() {} };
  if (stdio !== "null") return { fds: stdio, close() {} };
  const fd = helper.open("/dev/null", O_RDWR);
  return { fds: [fd, fd, fd], close: () => helper.close(fd) };
}
