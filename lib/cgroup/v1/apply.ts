/** Bringing resources into the directories of a v1 container. */

import { errnoOf, quote, RuntsError } from "../../base/errors.ts";
import { EPERM } from "../../base/errno.ts";
import type { Resources } from "../../spec/types/config.ts";
import { deviceRules } from "../devices/rules.ts";
import { deviceState, deviceWrites, parseDevicesList } from "../devices/v1.ts";
import { asksLimits } from "../directory.ts";
import type { CgroupHost } from "../hierarchies.ts";
import { isPermission, readFile } from "../files.ts";
import { checkMemoryUse } from "../memory_use.ts";
import type { Target } from "../settings.ts";

type Paths = Readonly<Record<string, string>>;

/** Of config paths in config.json. */
const CONFIG = "linux.resources.";

/** Writes all limits into a new cgroup. `rootless`: device rules that may not be set are not. */
export async function applyV1(
  host: CgroupHost,
  paths: Paths,
  resources: Resources,
  rootless: boolean,
): Promise<void> {
  if (paths["devices"] !== undefined) {
    try {
      writeDevices(paths["devices"], resources, CONFIG);
    } catch (error) {
      // Without privilege no device can be made anyway.
      if (!rootless || !isPermission(error)) throw error;
    }
  }
  if (asksLimits(resources)) await writeLimits(host, paths, resources, CONFIG, false);
}

/** Changes limits of a cgroup in use. Device rules change only if the document has some. */
export async function updateV1(
  host: CgroupHost,
  paths: Paths,
  resources: Resources,
): Promise<void> {
  if (asksLimits(resources)) await writeLimits(host, paths, resources, "", true);
  if (resources.devices !== undefined && paths["devices"] !== undefined) {
    writeDevices(paths["devices"], resources, "");
  }
}

async function writeLimits(
  host: CgroupHost,
  paths: Paths,
  resources: Resources,
  prefix: string,
  keepFormer: boolean,
): Promise<void> {
  const { settingsV1 } = await import("./resources.ts");
  const { writeSettings } = await import("../settings.ts");
  const { explainRefusal } = await import("../reasons.ts");
  const settings = settingsV1(resources, prefix);
  checkMemoryUse(paths["memory"], resources, prefix);
  const here = settings.filter(({ controller }) => paths[controller] !== undefined);
  const elsewhere = settings.filter(({ controller }) => paths[controller] === undefined);
  const target: Target = {
    directoryOf: ({ controller }) => paths[controller] ?? "",
    explain: explainRefusal,
    keepFormer,
  };
  if (elsewhere.length === 0) return writeSettings(here, target);
  const { unifiedSettings } = await import("./hybrid.ts");
  const moved = unifiedSettings(host, paths[""], resources, prefix, elsewhere);
  const all: Target = {
    ...target,
    directoryOf: (setting) =>
      (moved.includes(setting) ? paths[""] : paths[setting.controller]) ?? "",
  };
  writeSettings([...here, ...moved], all);
}

function writeDevices(directory: string, resources: Resources, prefix: string): void {
  const to = deviceState(deviceRules(resources.devices, prefix), `${prefix}devices`);
  const from = parseDevicesList(readFile(`${directory}/devices.list`) ?? "");
  const open = new Map<string, Deno.FsFile>();
  const encoder = new TextEncoder();
  try {
    for (const { file, value } of deviceWrites(from, to)) {
      const path = `${directory}/${file}`;
      const handle = open.get(path) ?? Deno.openSync(path, { write: true });
      open.set(path, handle);
      try {
        handle.writeSync(encoder.encode(value));
      } catch (error) {
        throw refused(path, value, `${prefix}devices`, error);
      }
    }
  } finally {
    for (const handle of open.values()) handle.close();
  }
}

function refused(path: string, value: string, configPath: string, error: unknown): RuntsError {
  return new RuntsError(`write ${quote(value)} to ${quote(path)}`, {
    configPath,
    cause: error,
    ...(errnoOf(error) === EPERM && { hint: "the cgroup above it does not have the device" }),
  });
}
