/** Cgroups below the container's own, which `exec --cgroup` names. */

import { quote, RuntsError } from "../base/errors.ts";
import { statFile } from "../base/files.ts";

/** Paths by controller; "" is for all of them. */
export type SubCgroups = Readonly<Record<string, string>>;

/** `PATH`, or once for each hierarchy of version 1 `CONTROLLER[,CONTROLLER]:PATH`. */
export function parseSubCgroups(words: readonly string[] = []): SubCgroups {
  const found: Record<string, string> = {};
  for (const word of words) {
    const colon = word.indexOf(":");
    if (colon < 0 && words.length > 1) {
      throw new RuntsError(`cgroup ${quote(word)} names no controller, and there are others`);
    }
    const path = word.slice(colon + 1);
    for (const controller of word.slice(0, Math.max(colon, 0)).split(",")) {
      found[controller] = path;
    }
  }
  return found;
}

/** Throws where a controller is named that the container has no cgroup of. */
export function checkControllers(sub: SubCgroups, paths: Readonly<Record<string, string>>): void {
  for (const [controller, path] of Object.entries(sub)) {
    if (controller === "" || Object.hasOwn(paths, controller)) continue;
    throw new RuntsError(`enter cgroup ${quote(`${controller}:${path}`)}`, {
      cause: `the container has no cgroup of its own for controller ${quote(controller)}`,
    });
  }
}

/** A path without ".."; throws where it leads out of the cgroup that it begins in. */
export function withinCgroup(sub: string): string {
  const parts: string[] = [];
  for (const part of sub.split("/")) {
    if (part === ".." && parts.pop() === undefined) {
      throw refuse(sub, 'it leads out of the container\'s cgroup by ".."');
    }
    if (part !== "" && part !== "." && part !== "..") parts.push(part);
  }
  return parts.join("/");
}

/** The directory of a cgroup below another. */
export function below(directory: string, sub: string): string {
  const within = withinCgroup(sub);
  // As it is written: what comes before ".." must be there, too.
  const path = `${directory}/${sub.replace(/^\/+/, "")}`;
  if (statFile(path) === undefined) throw refuse(sub, `there is no ${quote(path)}`);
  return within === "" ? directory : `${directory}/${within}`;
}

function refuse(sub: string, cause: string): RuntsError {
  return new RuntsError(`enter cgroup ${quote(sub)}`, { cause });
}
