/** The helper library as TypeScript sees it. Every call throws RuntsError with an error number. */

import { type FileCalls, fileCalls } from "./files.ts";
import { type HookCalls, hookCalls } from "./hooks.ts";
import { buildIdOf, loadLibrary } from "./library.ts";
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

let loading: Promise<Helper> | undefined;

/** Loads the library when first called; from then on it is there. */
export function loadHelper(): Promise<Helper> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Helper> {
  const library = await loadLibrary();
  const waiter = new Waiter(library);
  const processes = processCalls(library, waiter);
  processes.keepChildren();
  return {
    buildId: buildIdOf(library),
    ...processes,
    ...signalCalls(library),
    ...fileCalls(library, waiter),
    ...socketCalls(library, waiter),
    ...terminalCalls(library),
    ...hookCalls(library, waiter),
  };
}
