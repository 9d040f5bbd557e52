/** The global options, and what they mean for the library. */

import type { Caller } from "../base/caller.ts";
import { fromWorkingDirectory } from "../base/absolute.ts";
import type { RuntimeSettings } from "../runtime/runtime.ts";
import { quote, RuntsError } from "../base/errors.ts";
import type { Options, OptionValues } from "./types.ts";

/** The global options that may also stand after the verb. */
export const LATE_OPTIONS = {
  root: {
    value: "DIR",
    description: "where the state of containers is kept (default: /run/runts, or " +
      "$XDG_RUNTIME_DIR/runts when not root)",
    complete: "directory",
  },
  log: {
    value: "PATH",
    description: "write errors to [file:]PATH, journald:ID or syslog:ID as well",
    complete: "file",
  },
  logFormat: { value: "FORMAT", choices: ["text", "json"], description: "form of the log" },
  logLevel: {
    value: "LEVEL",
    choices: ["error", "warning", "info", "debug"],
    description: "what is logged",
  },
  debug: { description: "log each step; the same as --log-level debug" },
  systemdCgroup: {
    description: "make cgroups through systemd; cgroupsPath is slice:prefix:name",
  },
  cgroupManager: {
    value: "MANAGER",
    choices: ["cgroupfs", "systemd", "disabled"],
    description: "how cgroups are made",
  },
  rootless: {
    value: "WHEN",
    choices: ["auto", "true", "false"],
    description: "tolerate cgroups that may not be made: auto, true or false (default: auto)",
  },
  criu: { value: "PATH", description: "the criu executable (default: criu)", complete: "file" },
  help: { short: "h?", description: "print help" },
  usage: { description: "print how the command is called", hidden: true },
} as const satisfies Options;

export const GLOBAL_OPTIONS = {
  ...LATE_OPTIONS,
  version: { short: "vV", description: "print the versions" },
} as const satisfies Options;

export type GlobalValues = OptionValues<typeof GLOBAL_OPTIONS>;

/** The runtime's settings for the global options of a command line. */
export function runtimeSettings(caller: Caller, values: GlobalValues): RuntimeSettings {
  const manager = values.cgroupManager ?? (values.systemdCgroup ? "systemd" : undefined);
  if (values.systemdCgroup && manager !== "systemd") {
    throw new RuntsError(`--systemd-cgroup contradicts --cgroup-manager ${quote(manager)}`);
  }
  const rootless = values.rootless ?? "auto";
  return {
    ...(values.root !== undefined && { root: stateRoot(caller, values.root) }),
    ...(manager && { cgroupManager: manager }),
    rootless: rootless === "auto" ? "auto" : rootless === "true",
  };
}

/** A state directory must not depend on where the next command is called from. */
function stateRoot(caller: Caller, path: string): string {
  return fromWorkingDirectory(caller, path).replace(/\/+$/, "") || "/";
}
