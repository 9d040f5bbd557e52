/** Names of systemd's units for containers (systemd.slice(5), systemd.scope(5)). */

import { quote, RuntsError } from "../../base/errors.ts";

/** The unit of a container. */
export interface Unit {
  readonly slice: string;
  /** `PREFIX-NAME.scope` */
  readonly name: string;
}

const SUFFIX = ".slice";

/**
 * The unit for linux.cgroupsPath, `SLICE:PREFIX:NAME`. Without a path it is runts-ID.scope in
 * the default slice.
 */
export function unitOf(
  cgroupsPath: string | undefined,
  id: string,
  defaultSlice: string,
): Unit {
  const [slice, prefix, name, ...rest] = cgroupsPath ? cgroupsPath.split(":") : ["", "runts", id];
  if (!name || prefix === undefined || rest.length > 0) {
    throw new RuntsError(`read cgroup path ${quote(cgroupsPath)}`, {
      configPath: "linux.cgroupsPath",
      cause: 'systemd wants "SLICE:PREFIX:NAME"',
      hint: "without --systemd-cgroup it is a path",
    });
  }
  return { slice: slice || defaultSlice, name: `${prefix ? `${prefix}-` : ""}${name}.scope` };
}

/** An id as part of the name of a unit, which cannot have a `+` (systemd-escape(1)). */
export function inUnitName(id: string): string {
  return id.replaceAll("+", "\\x2b");
}

/** The directory of a slice: `a-b.slice` is in `a.slice`. "" for the root, `-.slice`. */
export function slicePath(slice: string): string {
  const name = slice.slice(0, -SUFFIX.length);
  if (name === "-" && slice.endsWith(SUFFIX)) return "";
  const parts = name.split("-");
  if (!slice.endsWith(SUFFIX) || slice.includes("/") || parts.includes("")) {
    throw new RuntsError(`use slice ${quote(slice)}`, {
      configPath: "linux.cgroupsPath",
      cause: 'it is no name of a slice, like "machine.slice" or "machine-web.slice"',
    });
  }
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("-")}${SUFFIX}`).join("");
}
