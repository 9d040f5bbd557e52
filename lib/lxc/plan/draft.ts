/** A plan in the making: the specification, the lines that its parts come from, what is to be told. */

import { RuntsError } from "../../base/errors.ts";
import type { SeccompArch } from "../../spec/types/config.ts";
import type { LxcConfig } from "../config/config.ts";
import { type Finding, type Given, type Place, placeText } from "../config/place.ts";
import type { Origins } from "./types.ts";

/** The host, as far as a plan depends on it. */
export interface LxcHost {
  /** Version of the hierarchies that hold the controllers. */
  readonly cgroup: "v1" | "v2";
  /** Architectures of system calls that its kernel runs, its own first. */
  readonly architectures: readonly SeccompArch[];
  /** Capabilities that nobody can get here: the caller's bounding set lacks them. */
  readonly lostCapabilities: readonly string[];
  /** Where a root filesystem is mounted that names no place: a directory of the runtime's. */
  readonly mountPlace: string;
  /** A variable of the caller's environment. */
  readonly variable: (name: string) => string | undefined;
  /** The name of a system call of the host's architecture by its number. */
  readonly systemCall: (number: number) => string | undefined;
}

/** A file that the configuration names and the plan needs the text of. */
export interface NamedFile {
  readonly path: string;
  readonly text: string;
}

/** What a plan is made from. */
export interface PlanInput {
  readonly name: string;
  /** Directory of the container, absolute. */
  readonly directory: string;
  readonly configFile?: string;
  readonly config: LxcConfig;
  /** The file of lxc.mount.fstab. */
  readonly fstab?: NamedFile;
  /** The file of lxc.seccomp.profile. */
  readonly seccomp?: NamedFile;
  readonly host: LxcHost;
  /** argv of init, instead of lxc.init.cmd. */
  readonly command?: readonly string[];
}

/** What the parts of a plan share. */
export class Draft {
  readonly config: LxcConfig;
  readonly origins: Record<string, Place> = {};
  readonly warnings: Finding[] = [];
  readonly findings: Finding[] = [];

  constructor(readonly input: PlanInput) {
    this.config = input.config;
  }

  /** Notes the line that a part comes from. */
  from(path: string, at: Place | undefined): void {
    if (at !== undefined) this.origins[path] = at;
  }

  /** A value and the note of its line; `otherwise` where nothing is given. */
  take<T>(path: string, given: Given<T> | undefined, otherwise: T): T {
    this.from(path, given?.at);
    return given?.value ?? otherwise;
  }

  warn(at: Place, message: string): void {
    this.warnings.push({ at, message });
  }

  fail(at: Place, message: string): void {
    this.findings.push({ at, message });
  }
}

/** The line that a JSON path comes from: its own, or that of what it is part of. */
export function originOf(origins: Origins, path: string): Place | undefined {
  for (let part = path; part !== ""; part = part.replace(LAST_KEY, "")) {
    if (Object.hasOwn(origins, part)) return origins[part];
    if (!LAST_KEY.test(part)) return undefined;
  }
  return undefined;
}

/** `.name`, `[3]` or `["net.ipv4.ip_forward"]` at the end of a path. */
const LAST_KEY = /(?:\[(?:\d+|"[^"]*")\]|(?:^|\.)[^.[\]]+)$/;

/** `/var/lib/lxc/web/config:17: lxc.mount.entry`; the path itself where no line asks for it. */
function originText(origins: Origins, path: string): string {
  const at = originOf(origins, path);
  return at === undefined ? path : `${placeText(at)}: ${at.key}`;
}

/** An error about a part of the plan, which names the line that asks for it. */
export function inItsLine(error: RuntsError, origins: Origins): RuntsError {
  const { configPath, ...data } = error.data;
  if (configPath === undefined) return error;
  return new RuntsError(error.operation, { ...data, configPath: originText(origins, configPath) });
}
