/** `lxc wait`: until a container has come to one of some states. */

import { delay } from "../../base/delay.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { systemEvents, type ToldState } from "./events.ts";
import { systemId } from "./record.ts";
import { systemNow } from "./state.ts";

/** What is waited for. */
interface WaitOptions {
  readonly lxcpath: string;
  readonly name: string;
  readonly states: readonly ToldState[];
  /** Milliseconds; absent: for ever. */
  readonly timeout?: number;
  /** Ends it, with the reason of the signal. */
  readonly signal?: AbortSignal;
}

/** Between two looks, in ms: whoever should tell may have been killed. */
const PAUSE = 20;

/** Gives whether it has come to one of them in time. */
export async function waitForState(
  runtime: Runtime,
  { lxcpath, name, states, timeout, signal }: WaitOptions,
): Promise<boolean> {
  const id = systemId(runtime, lxcpath, name);
  const isThere = () => states.some((state) => state === systemNow(runtime, id).state);
  if (isThere()) return true;
  const stop = new AbortController();
  let found = false;
  const told = (async () => {
    for await (const event of systemEvents(runtime, lxcpath, stop.signal)) {
      if (event.name !== name || !("state" in event) || !states.includes(event.state)) continue;
      found = true;
      return;
    }
  })().catch(() => {});
  const end = performance.now() + (timeout ?? Infinity);
  try {
    while (!found && !(found = isThere()) && performance.now() < end) await delay(PAUSE, signal);
  } finally {
    stop.abort();
    await told;
  }
  return found;
}
