/** config.json: whatever the text, it is refused in words or can be carried out. */

import { assert } from "@std/assert";
import { deviceProgram, encodeProgram } from "../../lib/cgroup/devices/program.ts";
import { deviceRules } from "../../lib/cgroup/devices/rules.ts";
import { deviceState } from "../../lib/cgroup/devices/v1.ts";
import { parseHost } from "../../lib/cgroup/hierarchies.ts";
import { containerPaths } from "../../lib/cgroup/location.ts";
import { settingsV1 } from "../../lib/cgroup/v1/resources.ts";
import { settingsV2 } from "../../lib/cgroup/v2/resources.ts";
import type { Setting } from "../../lib/cgroup/settings.ts";
import { annotationProperties, settingProperties } from "../../lib/cgroup/systemd/properties.ts";
import { slicePath, unitOf } from "../../lib/cgroup/systemd/units.ts";
import { isRuntsError } from "../../lib/base/errors.ts";
import { parseSpec } from "../../lib/spec/load.ts";
import type { Resources, Spec } from "../../lib/spec/types/config.ts";
import { checkError, shapeOf } from "../support/fuzz/answer.ts";
import { configs } from "../support/fuzz/corpus.ts";
import { planned, plansOf } from "../support/fuzz/plans.ts";
import type { Target } from "../support/fuzz/target.ts";

const V2 = parseHost("30 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/own/sub\n");

export function config(): Target {
  return { name: "config", seeds: configs(), attempt };
}

function attempt(text: string): string {
  let spec: Spec;
  try {
    spec = parseSpec(text, "config.json");
  } catch (error) {
    return `refused: ${checkError(error)}`;
  }
  return [planned(() => plansOf(spec)), limited(spec), placed(spec)].join("; ");
}

/** The limits as files, programs and properties. */
function limited({ linux = {}, annotations }: Spec): string {
  const { resources = {} } = linux;
  const answers = [
    answer(() => checkSettings(settingsV1(resources, "linux.resources."))),
    answer(() => checkSettings(settingsV2(resources, "linux.resources.", () => undefined))),
    answer(() => devices(resources)),
    answer(() => annotationProperties(annotations)),
  ];
  return answers.join("; ");
}

function checkSettings(settings: readonly Setting[]): void {
  for (const { forms } of settings) {
    for (const { file, value } of forms) {
      assert(!/[/\0]|^\.\.?$/.test(file), `a limit in file ${JSON.stringify(file)}`);
      assert(!/NaN|undefined|Infinity|\d\.\d|\de[+-]?\d/.test(`${value}`), `${file}: ${value}`);
    }
  }
  settingProperties(settings);
}

function devices({ devices }: Resources): void {
  const rules = deviceRules(devices, "linux.resources.");
  encodeProgram(deviceProgram(rules));
  deviceState(rules, "linux.resources.devices");
}

/** Where its cgroup is. */
function placed({ linux = {} }: Spec): string {
  const { cgroupsPath } = linux;
  const paths = answer(() => {
    const [path = ""] = Object.values(containerPaths(V2, "box", cgroupsPath));
    assert(/^\/sys\/fs\/cgroup\/./.test(path) && !path.split("/").includes(".."), path);
  });
  const unit = answer(() => {
    const { slice, name } = unitOf(cgroupsPath, "box", "system.slice");
    const path = `${slicePath(slice)}/${name}`;
    assert(!path.split("/").includes(".."), path);
  });
  return `${paths}; ${unit}`;
}

function answer(work: () => unknown): string {
  try {
    work();
    return "";
  } catch (error) {
    if (!isRuntsError(error)) throw error;
    return shapeOf(checkError(error));
  }
}
