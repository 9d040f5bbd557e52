/** Spawning init: what it gets is opened before, and closed here after. */

import { isRuntsError, quote, RuntsError } from "../base/errors.ts";
import type { Stdio } from "../body/body.ts";
import { O_RDWR } from "../base/linux.ts";
import type { LoadedRuntime, Runtime } from "../runtime/runtime.ts";
import { encodePlan } from "../wire/encode.ts";
import type { Plan, PlanSlot } from "../plan/plan.ts";
import { InitProcess, type SpawnOptions, withLimitHint } from "./conversation.ts";
import { LATE_KINDS, type LateKind, openSlots, type OwnFds } from "./descriptors.ts";

/** What to spawn init with. */
interface SpawnRequest extends Pick<SpawnOptions, "preserve" | "cgroup"> {
  readonly plan: Plan;
  /** What is at hand for the plan's slots; it stays the caller's. */
  readonly own: OwnFds;
  readonly streams: Streams;
  /** The cgroup is not there yet: {@linkcode giveCgroup} gives its descriptors. */
  readonly late?: boolean;
}

/** Standard streams; those of the body's process where nothing is said. */
type Streams = Readonly<
  Partial<Record<"stdin" | "stdout" | "stderr", "inherit" | "null" | number>>
>;

/** Whether all of them are those of the body's process. */
export function areInherited({ stdin, stdout, stderr }: Streams): boolean {
  return [stdin, stdout, stderr].every((stream = "inherit") => stream === "inherit");
}

/**
 * Has init started before its plan is known, where it can be.
 *
 * @param namespaces {@linkcode EarlyInit.namespaces}
 */
export function startEarly(
  runtime: Runtime,
  streams: Streams,
  preserve: number,
  namespaces = 0,
): void {
  if (!areInherited(streams)) return;
  runtime.body?.startEarly?.({ trace: isTraced(runtime), preserve, namespaces });
}

function isTraced({ debug, trace }: Runtime): boolean {
  return debug !== undefined || trace !== undefined;
}

/** Whether an init of this plan can be spawned before its cgroup is there. */
export async function canBeLate(
  runtime: LoadedRuntime,
  { plan, streams, preserve }: Pick<SpawnRequest, "plan" | "streams" | "preserve">,
): Promise<boolean> {
  if (!areInherited(streams)) return false;
  const request = { trace: isTraced(runtime), stdio: "inherit" as const, preserve };
  return await runtime.body.takesLate?.(request, plan.slots.length) === true;
}

/** Gives an init that was spawned late the descriptors of its cgroup of one kind. */
export function giveCgroup(
  { helper }: LoadedRuntime,
  init: InitProcess,
  { slots }: Plan,
  kind: LateKind,
): void {
  const opened = openSlots(helper, slots, {}, (slot) => slot.kind !== kind);
  try {
    init.give(new Map([...opened.fds.entries()].filter(([, fd]) => fd >= 0)));
  } finally {
    opened.close();
  }
}

/** Spawns init for a plan. */
export async function spawnInit(
  runtime: LoadedRuntime,
  { plan, own, streams, late = false, ...options }: SpawnRequest,
): Promise<InitProcess> {
  const { helper } = runtime;
  const isLate = ({ kind }: PlanSlot) => late && LATE_KINDS.some((one) => one === kind);
  const slots = openSlots(helper, plan.slots, own, isLate);
  let stdio: OpenStdio | undefined;
  try {
    stdio = await openStdio(runtime, streams);
    return await InitProcess.spawn(runtime, {
      ...options,
      plan: encodePlan(plan.ops, helper.buildId),
      ops: plan.ops,
      fds: slots.fds,
      late: plan.slots.filter(isLate).length,
      trace: isTraced(runtime),
      stdio: stdio.stdio,
    });
  } catch (error) {
    throw isRuntsError(error) ? withLimitHint(error) : error;
  } finally {
    slots.close();
    stdio?.close();
  }
}

/** Whoever is not held to the types may say anything. */
function checkStreams(streams: Readonly<Record<string, unknown>>): void {
  for (const [name, stream] of Object.entries(streams)) {
    const isFd = typeof stream === "number" && Number.isInteger(stream) && stream >= 0;
    if (isFd || stream === "inherit" || stream === "null") continue;
    throw new RuntsError(`${name} ${quote(stream)} is no open descriptor, nor "inherit" or "null"`);
  }
}

/** The standard streams as the body takes them, and what was opened for them. */
interface OpenStdio {
  readonly stdio: Stdio;
  close(): void;
}

async function openStdio(
  { body, helper }: LoadedRuntime,
  { stdin = "inherit", stdout = "inherit", stderr = "inherit" }: Streams,
): Promise<OpenStdio> {
  const all = [stdin, stdout, stderr] as const;
  checkStreams({ stdin, stdout, stderr });
  if (stdin === stdout && stdout === stderr && typeof stdin !== "number") {
    return { stdio: stdin, close: () => {} };
  }
  const devNull = all.includes("null") ? await body.open("/dev/null", O_RDWR) : -1;
  const numberOf = (stream: string | number, own: number) =>
    typeof stream === "number" ? stream : stream === "null" ? devNull : own;
  return {
    stdio: [numberOf(stdin, 0), numberOf(stdout, 1), numberOf(stderr, 2)],
    close: () => {
      if (devNull >= 0) helper.close(devNull);
    },
  };
}
