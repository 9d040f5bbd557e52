/** The helper library as TypeScript sees it. Every call throws RuntsError with an error number. */

import { type FileCalls, fileCalls } from "./files.ts";
import { type HookCalls, hookCalls } from "./hooks.ts";
import { buildIdOf, type Library, loadLibrary } from "./library.ts";
import { type ProcessCalls, processCalls } from "./process.ts";
import { type SignalCalls, signalCalls } from "./signals.ts";
import { type SocketCalls, socketCalls } from "./sockets.ts";
import { type TerminalCalls, terminalCalls } from "./terminal.ts";
import { Waiter } from "./waiter.ts";

export interface Helper
  extends ProcessCalls, SignalCalls, FileCalls, SocketCalls, TerminalCalls, HookCalls {
  /** Of the library and of init. */
  readonly buildId: string;
}

let loading: Promise<{ library: Library; waiter: Waiter }> | undefined;

/** By their patience: each has buffers of its own. */
const helpers = new Map<number, Promise<Helper>>();

/**
 * Loads the library when first called; from then on it is there.
 *
 * @param patience of its waits (ffi/waiter.ts), in ms
 */
export function loadHelper(patience = 0): Promise<Helper> {
  const known = helpers.get(patience);
  if (known !== undefined) return known;
  const made = makeHelper(patience);
  helpers.set(patience, made);
  return made;
}

/** See {@linkcode Waiter.linger}; for all waits of this process. */
export async function lingerInWaits(ms: number, isBusy: () => boolean): Promise<void> {
  loading ??= load();
  (await loading).waiter.linger(ms, isBusy);
}

async function makeHelper(patience: number): Promise<Helper> {
  loading ??= load();
  const { library, waiter: shared } = await loading;
  const waiter = patience === 0 ? shared : shared.withPatience(patience);
  return {
    buildId: buildIdOf(library),
    ...processCalls(library, waiter),
    ...signalCalls(library),
    ...fileCalls(library, waiter),
    ...socketCalls(library, waiter),
    ...terminalCalls(library),
    ...hookCalls(library, waiter),
  };
}

async function load(): Promise<{ library: Library; waiter: Waiter }> {
  const library = await loadLibrary();
  const waiter = new Waiter(library);
  processCalls(library, waiter).keepChildren();
  return { library, waiter };
}
