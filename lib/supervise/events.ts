/** `events --follow`: what happens to the supervised containers of a state root. */

import { delay } from "../base/delay.ts";
import { reason } from "../base/errors.ts";
import { Journal, type SupervisionEvent } from "../monitor/journal.ts";
import { isSupervised } from "../monitor/places.ts";
import { isSame, standingOf } from "../monitor/standing.ts";
import { inCommand } from "../runtime/command.ts";
import { bootId } from "../runtime/host.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { listIds, StateDirectory } from "../state/directory.ts";
import { noteEndOf, remind } from "./remind.ts";

/** What is told. */
export interface SupervisionEventsOptions {
  /** Of this container alone. */
  readonly id?: string;
  /** What came after the event of this number; default: what comes from now on, if that is followed. */
  readonly since?: number;
  /** Go on with what comes. */
  readonly follow?: boolean;
  /** Ends it, which then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Between two looks for containers that nobody tells of, in ms. */
const LOOK = 1_000;

/** The events of a state root, in the order of their numbers. */
export async function* supervisionEvents(
  given: RuntimeOrSettings,
  options: SupervisionEventsOptions = {},
): AsyncGenerator<SupervisionEvent, void> {
  const { id, follow = false, signal } = options;
  const { runtime, journal, since } = await inCommand(
    given,
    "events",
    id ?? "",
    async (unloaded) => {
      const runtime = await load(unloaded);
      const journal = new Journal(runtime.root);
      const newest = follow && options.since === undefined ? journal.newest() : 0;
      return { runtime, journal, since: options.since ?? newest };
    },
  );
  const over = new AbortController();
  const looking = follow ? lookForLost(runtime, over.signal) : Promise.resolve();
  try {
    for await (const event of journal.read({ since, follow, signal })) {
      if (id === undefined || event.id === id) yield event;
    }
  } finally {
    over.abort();
    await looking;
  }
}

/** A monitor that was killed tells nobody; what became of its container is told by whoever looks. */
async function lookForLost(runtime: LoadedRuntime, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const id of listIds(runtime.root)) await lookAt(runtime, id);
    await delay(LOOK, signal).catch(() => {});
  }
}

async function lookAt(runtime: LoadedRuntime, id: string): Promise<void> {
  try {
    const directory = new StateDirectory(runtime, id);
    if (!isSupervised(directory)) return;
    const standing = standingOf(directory, runtime.host.get(bootId), () => {});
    const { supervised: { lastEnd }, init } = standing ?? { supervised: {} };
    if (init?.record === undefined || init.status === "running") return;
    const isTold = lastEnd !== undefined && isSame(lastEnd, init.record);
    if (init.status === "lost" && !isTold) await noteEndOf(runtime, directory);
    await remind(runtime, directory);
  } catch (error) {
    runtime.warn(`look at ${JSON.stringify(id)}: ${reason(error)}`);
  }
}
