/** Work that a signal ends, and that leaves nothing then. */

import { RuntsError } from "../base/errors.ts";
import { parseSignal } from "../spec/values/signals.ts";

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What a shell adds to the number of a signal. */
const BY_SIGNAL = 128;

/** Does it; the first signal that asks for an end aborts it, and is the reason. */
export async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const listeners = ENDING.map((name) => {
    const exitCode = BY_SIGNAL + parseSignal(name);
    const listener = () => controller.abort(new RuntsError(`ended by ${name}`, { exitCode }));
    Deno.addSignalListener(name, listener);
    return () => Deno.removeSignalListener(name, listener);
  });
  try {
    return await work(controller.signal);
  } finally {
    for (const remove of listeners) remove();
  }
}
