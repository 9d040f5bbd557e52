/** Bringing resources into the directory of a v2 container. */

import { quote, RuntsError } from "../../base/errors.ts";
import type { Resources } from "../../spec/types/config.ts";
import { asksLimits } from "../directory.ts";
import { isPermission, readFile } from "../files.ts";
import { checkMemoryUse } from "../memory_use.ts";
import type { Setting, Target } from "../settings.ts";

/** Of config paths in config.json. */
const CONFIG = "linux.resources.";
/** Controllers without a line in cgroup.controllers: files of these are always there. */
const CORE = ["cgroup"];

/** What {@linkcode applyV2} knows of a new cgroup. */
interface Fresh {
  /** Controllers that could not be enabled, with the error. */
  readonly refused: ReadonlyMap<string, unknown>;
  /** Device rules that may not be set are not: without privilege no device can be made anyway. */
  readonly rootless: boolean;
  /** Of the caller. */
  readonly uid: number;
}

/** Writes all limits into a new cgroup. */
export async function applyV2(
  directory: string,
  resources: Resources,
  { refused, rootless, uid }: Fresh,
): Promise<void> {
  if (asksLimits(resources)) {
    await writeLimits(directory, resources, { prefix: CONFIG, keepFormer: false, refused, uid });
  }
  try {
    const { attachDeviceRules } = await import("../devices/v2.ts");
    await attachDeviceRules(directory, resources.devices, CONFIG);
  } catch (error) {
    if (!rootless || !isPermission(error)) throw error;
  }
}

/** Changes limits of a cgroup in use. Device rules change only if the document has some. */
export async function updateV2(
  directory: string,
  resources: Resources,
  uid: number,
): Promise<void> {
  if (asksLimits(resources)) {
    const refused = new Map();
    await writeLimits(directory, resources, { prefix: "", keepFormer: true, refused, uid });
  }
  if (resources.devices !== undefined) {
    const { attachDeviceRules } = await import("../devices/v2.ts");
    await attachDeviceRules(directory, resources.devices, "");
  }
}

/** How limits are written. */
interface Writing extends Pick<Fresh, "refused" | "uid"> {
  /** Of config paths. */
  readonly prefix: string;
  readonly keepFormer: boolean;
}

async function writeLimits(
  directory: string,
  resources: Resources,
  { prefix, keepFormer, refused, uid }: Writing,
): Promise<void> {
  const { settingsV2 } = await import("./resources.ts");
  const { writeSettings } = await import("../settings.ts");
  const { explainRefusal } = await import("../reasons.ts");
  const settings = settingsV2(resources, prefix, (file) => readFile(`${directory}/${file}`));
  checkMemoryUse(directory, resources, prefix);
  const available = (readFile(`${directory}/cgroup.controllers`) ?? "").split(" ");
  for (const setting of settings) {
    const { controller } = setting;
    if (!available.includes(controller) && !CORE.includes(controller)) {
      throw unavailable(setting, directory, refused.get(controller), uid);
    }
  }
  const target: Target = { directoryOf: () => directory, explain: explainRefusal, keepFormer };
  writeSettings(settings, target);
}

function unavailable(
  { controller, configPath }: Setting,
  directory: string,
  reason: unknown,
  uid: number,
): RuntsError {
  return new RuntsError(
    `use cgroup controller ${quote(controller)} in ${quote(directory)}`,
    {
      configPath,
      cause: reason ?? "it is not among the controllers that the cgroup above passes on",
      hint: uid === 0
        ? "is it in cgroup.controllers of the root, and not bound to a v1 hierarchy?"
        : `delegate it: systemctl edit user@.service, [Service] Delegate=${controller}`,
    },
  );
}
