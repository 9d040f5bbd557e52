/** Device rules that are all there are, on a cgroup that has its usual ones. */

import type { DeviceRule } from "../../spec/types/config.ts";
import { readFile, writeFile } from "../files.ts";
import type { CgroupRecord } from "../manager.ts";
import { exactDeviceRules } from "./rules.ts";
import { deviceState, deviceWrites, parseDevicesList } from "./v1.ts";

const PREFIX = "linux.resources.";

/** From now on a container may use what the rules allow, and nothing beside that. */
export async function limitDevices(
  { paths }: CgroupRecord,
  devices: readonly DeviceRule[],
): Promise<void> {
  const rules = exactDeviceRules(devices, PREFIX);
  const { devices: directory, "": unified } = paths;
  if (directory !== undefined) {
    const from = parseDevicesList(readFile(`${directory}/devices.list`) ?? "");
    for (const { file, value } of deviceWrites(from, deviceState(rules, `${PREFIX}devices`))) {
      writeFile(`${directory}/${file}`, value);
    }
  } else if (unified !== undefined) {
    const { attachRules } = await import("./v2.ts");
    await attachRules(unified, rules, PREFIX);
  }
}
