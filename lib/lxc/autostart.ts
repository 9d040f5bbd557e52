/** `lxc autostart`: the containers that start with the host, in their order. */

import { delay } from "../base/delay.ts";
import { reason } from "../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
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
}

/** A container that is chosen. */
interface Chosen {
  readonly name: string;
  readonly order: number;
  /** Seconds. */
  readonly delay: number;
  readonly groups: readonly string[];
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
  const chosen = groups.flatMap((group) =>
    found.filter((one) => group === "" ? one.groups.length === 0 : one.groups.includes(group))
  );
  return [...new Set(chosen)];
}

/** How it went. */
interface Outcome {
  readonly done: number;
  readonly failed: number;
}

/** Does it with each, one after the other; what fails is a warning, and does not keep the others from it. */
export async function autostart(
  runtime: Runtime,
  options: AutostartOptions,
): Promise<Outcome> {
  const lxcpath = lxcPath(runtime, options.lxcpath);
  let [done, failed] = [0, 0];
  for (const { name, delay: seconds } of await chosenContainers(runtime, options)) {
    try {
      await act(runtime, lxcpath, name, options);
      done++;
    } catch (error) {
      failed++;
      runtime.warn(reason(error));
    }
    if (options.action === "start" && seconds > 0) await delay(seconds * 1000);
  }
  return { done, failed };
}

async function act(
  runtime: Runtime,
  lxcpath: string,
  name: string,
  { action, timeout }: AutostartOptions,
): Promise<void> {
  if (action === "start") {
    await startSystem(runtime, { name, lxcpath });
    return;
  }
  await stopSystem(runtime, {
    id: systemId(runtime, lxcpath, name),
    timeout,
    ...(action === "kill" && { kill: true }),
    ...(action === "reboot" && { reboot: true, noWait: true }),
  });
}
