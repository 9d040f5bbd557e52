/** What becomes of system containers, told in LXC's words. */

import { Journal } from "../../monitor/journal.ts";
import { tell } from "../../monitor/tell.ts";
import type { LoadedRuntime, Runtime } from "../../runtime/runtime.ts";
import { systemId } from "./record.ts";

/** A state of LXC's that a container comes to. */
export type ToldState =
  | ("STOPPED" | "STARTING" | "RUNNING" | "STOPPING")
  | ("ABORTING" | "FREEZING" | "FROZEN" | "THAWED");
/** All of them. */
export const STATES: readonly ToldState[] = [
  ...["STOPPED", "STARTING", "RUNNING", "STOPPING", "ABORTING", "FREEZING", "FROZEN"] as const,
  "THAWED",
];

/** Tells that a container has come to a state. */
export async function tellState(
  runtime: LoadedRuntime,
  id: string,
  state: ToldState,
): Promise<void> {
  await tell(runtime, { type: "state", id, state });
}

/** A new state of a container, or the end of its init. */
type SystemEvent =
  | { readonly name: string; readonly state: ToldState }
  | { readonly name: string; readonly exit: number };

/** What becomes of the containers of a directory from now on. */
export async function* systemEvents(
  runtime: Runtime,
  lxcpath: string,
  signal?: AbortSignal,
): AsyncGenerator<SystemEvent, void> {
  const journal = new Journal(runtime.root);
  const since = await journal.newest();
  const [, suffix = ""] = /(\+.*)?$/.exec(systemId(runtime, lxcpath, "")) ?? [];
  for await (const event of journal.read({ since, follow: true, signal })) {
    if (!event.id.endsWith(suffix) || (suffix === "" && event.id.includes("+"))) continue;
    const name = event.id.slice(0, event.id.length - suffix.length);
    const state = STATES.find((one) => one === event.state);
    if (event.type === "state" && state !== undefined) yield { name, state };
    // What a signal has ended has the status 0 there.
    if (event.type === "exited") yield { name, exit: event.signal ? 0 : event.code ?? 0 };
  }
}
