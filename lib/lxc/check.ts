/** What the host lacks that a configuration names. */

import { quote } from "../base/errors.ts";
import { statFile } from "../base/files.ts";
import type { Finding, Place } from "./config/place.ts";
import { originOf } from "./plan/draft.ts";
import type { SystemPlan } from "./plan/types.ts";

/** Directories, files and devices of the host that are not there. */
export function hostFindings(plan: SystemPlan): Finding[] {
  return [
    ...rootfsFindings(plan),
    ...mountFindings(plan),
    ...hookFindings(plan),
    ...linkFindings(plan),
  ];
}

function rootfsFindings({ beyond: { rootfs }, origins }: SystemPlan): Finding[] {
  const at = originOf(origins, "beyond.rootfs");
  if (at === undefined || (rootfs.driver !== "dir" && rootfs.driver !== "overlay")) return [];
  // The upper directory of an overlay is made.
  const parts = rootfs.driver === "overlay" ? rootfs.parts.slice(0, -1) : rootfs.parts;
  return parts.flatMap((path) => missing(path, at, "directory"));
}

function mountFindings({ spec: { mounts = [] }, beyond, origins }: SystemPlan): Finding[] {
  return mounts.flatMap(({ source = "", options = [] }, index) => {
    const at = originOf(origins, `mounts[${index}]`);
    const isBind = options.some((option) => option === "bind" || option === "rbind");
    if (at === undefined || !isBind || beyond.mounts[index]?.optional) return [];
    return missing(source, at, "any");
  });
}

/** Stages whose hooks are programs of the container. */
const INSIDE = ["start"];

function hookFindings({ beyond: { hooks }, origins }: SystemPlan): Finding[] {
  return Object.entries(hooks.stages).flatMap(([stage, commands]) =>
    INSIDE.includes(stage) ? [] : commands.flatMap((command, index) => {
      const at = originOf(origins, `beyond.hooks.stages["${stage}"][${index}]`);
      const program = command.split(/\s/)[0]!;
      return at !== undefined && program.startsWith("/") ? missing(program, at, "file") : [];
    })
  );
}

function linkFindings({ beyond: { network }, origins }: SystemPlan): Finding[] {
  return network.flatMap(({ link }, index) => {
    const at = originOf(origins, `beyond.network[${index}].link`);
    if (at === undefined || link === undefined || link.endsWith("+")) return [];
    if (statFile(`/sys/class/net/${link}`) !== undefined) return [];
    return [{ at, message: `there is no network device ${quote(link)} on this host` }];
  });
}

function missing(path: string, at: Place, kind: "file" | "directory" | "any"): Finding[] {
  const found = statFile(path);
  if (found === undefined) return [{ at, message: `${quote(path)} does not exist` }];
  if (kind === "directory" && !found.isDirectory) {
    return [{ at, message: `${quote(path)} is not a directory` }];
  }
  return [];
}
