/** Serving shims: as a process of its own, which a monitor has started, or in a warm brain. */

import { lingerInWaits } from "../../ffi/helper.ts";
import { monitorCalls } from "../../ffi/monitor.ts";
import { AT_ONCE } from "../base/document_file.ts";
import { RuntsError } from "../base/errors.ts";
import { load } from "../runtime/load.ts";
import { ProcessCaller } from "../runtime/process_caller.ts";
import { Runtime } from "../runtime/runtime.ts";
import type { Caller } from "../base/caller.ts";
import type { Body } from "../body/body.ts";
import { Brain } from "./brain.ts";
import { leaveForCgroups } from "./shim_cgroup.ts";

/** Behind `shim serve`: descriptors of its lock and its socket, its directory, cgroups that are no pod's. */
interface ServeWords {
  readonly lock: number;
  readonly socket: number;
  readonly directory: string;
  readonly cgroups: readonly string[];
}

/** Says for how long, in seconds, a brain stays without a monitor; 0: for ever. */
const IDLE_VARIABLE = "RUNTS_SHIM_IDLE";
const IDLE_SECONDS = 60;
/** Of what it makes; monitors have the same (c/monitor/command.c). */
const UMASK = 0o022;
/** How long the thread of the event loop waits before another one does, in ms. */
const LINGER = 4;

function serveWords([lock, socket, directory, ...cgroups]: readonly string[]): ServeWords {
  if (directory === undefined) throw new RuntsError("shim serve is for monitors to call");
  return { lock: Number(lock), socket: Number(socket), directory, cgroups };
}

function idleOf(caller: Caller): number {
  const seconds = Number(caller.variable(IDLE_VARIABLE) ?? IDLE_SECONDS);
  return seconds > 0 ? seconds * 1000 : -1;
}

/** Until it is to end, or has had nothing to do for long. `words`: behind `serve`. */
export async function serveApart(words: readonly string[], signal: AbortSignal): Promise<void> {
  const place = serveWords(words);
  const runtime = await load(new Runtime({ files: AT_ONCE }));
  for (const fd of [place.lock, place.socket]) monitorCalls().closeOnExec(fd);
  const problem = leaveForCgroups(place.cgroups);
  const brain = new Brain(runtime, place, runtime.caller.pid);
  if (problem !== undefined) brain.warnLater(problem);
  await lingerInWaits(LINGER, () => brain.isStarting);
  await brain.serve({ signal, idle: idleOf(runtime.caller) });
}

/** This process as the caller, with what whoever has asked for the brain has of its own. */
class WarmCaller extends ProcessCaller {
  readonly #environment: readonly string[];

  constructor(environment: readonly string[]) {
    super();
    this.#environment = environment;
  }

  override get umask(): number {
    return UMASK;
  }

  override environment(): readonly string[] {
    return this.#environment;
  }
}

/**
 * The same in a warm brain, for a process that a monitor has started: its descriptors are fetched, and hooks are
 * its children.
 */
export async function serveWarm(
  words: readonly string[],
  front: { readonly caller: Caller; readonly body: Body },
  signal: AbortSignal,
): Promise<void> {
  const place = serveWords(words);
  const caller = new WarmCaller(front.caller.environment());
  const runtime = await load(new Runtime({ caller, body: front.body, files: AT_ONCE }));
  const process = { pid: front.caller.pid, pidfd: -1 };
  const lock = await front.body.fetchDescriptor(process, place.lock);
  const socket = await front.body.fetchDescriptor(process, place.socket);
  const brain = new Brain(runtime, { ...place, lock, socket }, caller.pid);
  await brain.serve({ signal, idle: idleOf(caller) });
}
