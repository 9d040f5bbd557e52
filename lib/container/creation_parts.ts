/** Who takes part in the creation of a container, and what they are given. */

import { readLink } from "../base/files.ts";
import type { Undo } from "../base/undo.ts";
import type { Child } from "../body/body.ts";
import type { OpenBundle } from "../caller/bundle.ts";
import type { CreateOptions } from "../caller/options.ts";
import type { CgroupJoin, CgroupManager, CgroupRequest } from "../cgroup/manager.ts";
import type { SystemInput } from "../plan/system.ts";
import type { LoadedRuntime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import type { ProcessName } from "../state/process_record.ts";
import type { StartOp } from "../state/status.ts";

/** Who takes part in a creation beside the verb: the foreground, or a monitor. */
export interface Attendant {
  /** The socket for the terminal's master; -1 where the body has one of its own. */
  readonly console?: number | undefined;
  /** Nobody is expected to run verbs for it: nothing is prepared for them. */
  readonly unprepared?: true;
  /** What a system container has beside its configuration. */
  readonly system?: SystemInput;
  /** Sockets for the masters of the terminals beside the console, by their names. */
  readonly terminals?: Readonly<Record<string, number>>;
  /** What is asked of the cgroup, by what would be asked without it. */
  cgroup?(runtime: LoadedRuntime, request: CgroupRequest): CgroupRequest;
  /** What is going to be made is written down. */
  intended?(): void;
  /** The cgroup is there, and nothing in it. What it leaves behind is noted for undoing. */
  prepare?(runtime: LoadedRuntime, made: Made, undo: Undo): Promise<LoadedRuntime>;
  /** Init is at work. */
  begin?(): void;
  /** All namespaces exist, and nothing of the root filesystem yet. `pid`: of init. */
  namespaces?(pid: number): Promise<void>;
  /** Init has done its work, and waits; only then it is recorded. */
  ready?(init: ProcessName): Promise<void>;
  /** Makes the first process itself: there is no init. It is noted for undoing. */
  first?(making: Making): Promise<FirstProcess>;
}

/** The first process, as far as it is made. */
export interface FirstProcess extends Child {
  /** What is left for it to do, to name what failed. */
  readonly startOps?: readonly StartOp[];
  /** It is recorded, and goes on. */
  commit(): Promise<void>;
}

/** What there is when the first process is about to be made. */
export interface Making extends Made {
  readonly runtime: LoadedRuntime;
  readonly options: CreateOptions;
  readonly join: CgroupJoin;
  readonly undo: Undo;
  /** To be called when it has its namespaces, and nothing of the root filesystem yet. */
  namespaces(pid: number): Promise<void>;
}

/** What there is of a container when init is about to be spawned. */
export interface Made {
  readonly directory: StateDirectory;
  readonly bundle: OpenBundle;
  readonly cgroup: CgroupManager;
}

/**
 * What the standard streams are, for checkpoint.
 *
 * @param places directories of /proc: what the first one does not tell, the next one does
 */
export function streamsOf(places: readonly string[]): string[] {
  return [0, 1, 2].map((fd) => {
    const found = places.map((proc) => readLink(`${proc}/fd/${fd}`));
    return found.find((path) => path !== undefined) ?? "/dev/null";
  });
}
