/** `lxc autostart`: the containers that start with the host, in their order. */

import { delay } from "../base/delay.ts";
import { reason } from "../base/errors.ts";
import { type Runtime, withSettings } from "../runtime/runtime.ts";
import { hostFiles, readConfig } from "./config/read.ts";
import { containerNames } from "./list.ts";
import { lxcPath } from "./place.ts";
import { startSystem } from "./life/start.ts";
import { systemId } from "./life/record.ts";
import { systemNow } from "./life/state.ts";
import { stopSystem } from "./life/stop.ts";

/** What is done with each. */
export type AutostartAction = "start" | "stop" | "kill" | "reboot";

/** Which containers, and what becomes of them. */
interface AutostartOptions {
  readonly lxcpath?: string | undefined;
  readonly action: AutostartAction;
  /** Those that are in one of the groups, in the order of the groups; "": those that are in none. */
  readonly groups: readonly string[];
  /** Whatever group they are in. */
  readonly allGroups: boolean;
  /** Also those that do not start with the host. */
  readonly ignoreAuto: boolean;
  /** ms, for an init to end when it is asked to. */
  readonly timeout: number;
  /** Ends it, with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

/** A container that is chosen. */
interface Chosen {
  readonly name: string;
  readonly order: number;
  /** Seconds. */
  readonly delay: number;
  readonly groups: readonly string[];
  /** Which of the groups that were asked for it was found by. */
  readonly turn: number;
}

/** The containers, in the order in which something is done with them. */
export async function chosenContainers(
  runtime: Runtime,
  options: AutostartOptions,
): Promise<Chosen[]> {
  const path = lxcPath(runtime, options.lxcpath);
  const found: Chosen[] = [];
  for (const name of containerNames(path)) {
    const { config, findings } = await readConfig(
      { file: `${path}/${name}/config` },
      hostFiles(runtime.files.read),
    );
    if (findings.length > 0) {
      runtime.warn(`${path}/${name}/config is not sound: see "runts lxc check"`);
      continue;
    }
    if (!options.ignoreAuto && config.get("lxc.start.auto")?.value !== true) continue;
    found.push({
      name,
      order: config.get("lxc.start.order")?.value ?? 0,
      delay: config.get("lxc.start.delay")?.value ?? 0,
      groups: config.all("lxc.group").map(({ value }) => value),
      turn: 0,
    });
  }
  found.sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
  const isLast = options.action === "stop" || options.action === "kill";
  return ofGroups(isLast ? found.toReversed() : found, options).filter(({ name }) =>
    options.action === "start" || isRunning(runtime, path, name)
  );
}

function isRunning(runtime: Runtime, path: string, name: string): boolean {
  return systemNow(runtime, systemId(runtime, path, name)).state !== "STOPPED";
}

/** Each once, by the first of the groups that it is in. */
function ofGroups(
  found: readonly Chosen[],
  { groups, allGroups }: AutostartOptions,
): Chosen[] {
  if (allGroups) return [...found];
  const chosen = groups.flatMap((group, turn) =>
    found.filter((one) => group === "" ? one.groups.length === 0 : one.groups.includes(group))
      .map((one) => ({ ...one, turn }))
  );
  const first = new Map(chosen.toReversed().map((one) => [one.name, one]));
  return chosen.filter((one) => first.get(one.name) === one);
}

/** How it went. */
interface Outcome {
  readonly done: number;
  readonly failed: number;
}

/** So many are started, or stopped, at once where nothing says which is the first. */
const TOGETHER = 8;

/**
 * Does it with each, in their order; what fails is a warning, and does not keep the others from it. Those of one group
 * and one order wait for each other only where one of them has a pause behind it.
 */
export async function autostart(
  given: Runtime,
  options: AutostartOptions,
): Promise<Outcome> {
  // Whoever waits must not hold up the others.
  const runtime = withSettings(given, { patience: 0 });
  const lxcpath = lxcPath(runtime, options.lxcpath);
  let [done, failed] = [0, 0];
  for (const batch of batchesOf(await chosenContainers(runtime, options), options)) {
    for (
      const error of await allTogether(batch, ({ name }) => act(runtime, lxcpath, name, options))
    ) {
      if (error === undefined) done++;
      else {
        failed++;
        runtime.warn(reason(error));
      }
    }
    options.signal?.throwIfAborted();
    const pause = pauseBehind(batch[0]!, options);
    if (pause > 0) await delay(pause * 1000, options.signal);
  }
  return { done, failed };
}

/** Seconds. */
function pauseBehind(one: Chosen, { action }: AutostartOptions): number {
  return action === "start" ? one.delay : 0;
}

/** Containers that nothing parts from each other. */
function batchesOf(chosen: readonly Chosen[], options: AutostartOptions): Chosen[][] {
  const batches: Chosen[][] = [];
  for (const one of chosen) {
    const last = batches.at(-1)?.at(-1);
    const isParted = last === undefined || last.order !== one.order || last.turn !== one.turn ||
      pauseBehind(last, options) > 0 || pauseBehind(one, options) > 0;
    if (isParted) batches.push([one]);
    else batches.at(-1)!.push(one);
  }
  return batches;
}

/** Does something with all of them, some at a time; gives what each has failed of. */
async function allTogether<T>(
  all: readonly T[],
  body: (one: T) => Promise<void>,
): Promise<unknown[]> {
  const errors: unknown[] = all.map(() => undefined);
  const left = all.entries();
  const work = async () => {
    for (const [at, one] of left) {
      await body(one).catch((error) => {
        errors[at] = error;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(TOGETHER, all.length) }, work));
  return errors;
}

async function act(
  given: Runtime,
  lxcpath: string,
  name: string,
  { action, timeout, signal }: AutostartOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const runtime = withSettings(given, { ...(given.body && { body: given.body.forOne() }) });
  if (action === "start") {
    await startSystem(runtime, { name, lxcpath });
    return;
  }
  await stopSystem(runtime, {
    id: systemId(runtime, lxcpath, name),
    timeout,
    ...(signal && { signal }),
    ...(action === "kill" && { kill: true }),
    ...(action === "reboot" && { reboot: true, noWait: true }),
  });
}
