/** What a sound document says that is hardly meant: the kernel will ignore or refuse it. */

import { nearest } from "../../base/nearest.ts";
import { quote } from "../../base/errors.ts";
import { CAPABILITIES, capabilityNumber } from "../values/capabilities.ts";
import { MOUNT_OPTIONS, parseMountOptions } from "../values/mount_options.ts";
import type { Mount, Process, Spec } from "../types/config.ts";
import { filesystemFault } from "./filesystem_options.ts";
import type { Finding } from "./findings.ts";

/** Of a configuration. */
export function warningsOf({ process, mounts = [] }: Spec): Finding[] {
  return [
    ...mounts.flatMap((mount, index) => ofMount(mount, `mounts[${index}]`)),
    ...process === undefined ? [] : warningsOfProcess(process, "process."),
  ];
}

/** Of a process; `prefix`: of its paths. */
export function warningsOfProcess({ capabilities = {} }: Process, prefix = ""): Finding[] {
  return Object.entries(capabilities).flatMap(([set, names]: [string, unknown]) =>
    Array.isArray(names)
      ? names.flatMap((name: string, index): Finding[] => {
        if (capabilityNumber(name) !== undefined) return [];
        const guess = didYouMean(name.toUpperCase(), CAPABILITIES);
        const message = `${quote(name)} is no capability${guess}`;
        return [{
          path: `${prefix}capabilities.${set}[${index}]`,
          value: name,
          rule: "name",
          message,
        }];
      })
      : []
  );
}

function ofMount({ type = "", options = [] }: Mount, path: string): Finding[] {
  const { bind, remount } = parseMountOptions(options);
  if (bind !== "none" || remount) return [];
  return options.flatMap((option, index) =>
    // One entry may hold several.
    parseMountOptions([option]).data.flatMap((one): Finding[] => {
      const { fault, names } = filesystemFault(type, one) ?? {};
      if (fault === undefined) return [];
      const all = names && [...names, ...Object.keys(MOUNT_OPTIONS)];
      const guess = all ? didYouMean(one.replace(/=.*/s, ""), all) : "";
      const message = `${quote(one)} ${fault}${guess}`;
      return [{ path: `${path}.options[${index}]`, value: option, rule: "name", message }];
    })
  );
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : `: did you mean ${quote(near)}?`;
}
