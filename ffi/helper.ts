/** The helper library as TypeScript sees it. Every call throws RuntsError with an error number. */

import { type FileCalls, fileCalls } from "./files.ts";
import { type HookCalls, hookCalls } from "./hooks.ts";
import { loadLibrary } from "./library.ts";
import { type ProcessCalls, processCalls } from "./process.ts";
import { type SignalCalls, signalCalls } from "./signals.ts";
import { type SocketCalls, socketCalls } from "./sockets.ts";
import { type TerminalCalls, terminalCalls } from "./terminal.ts";

export interface Helper
  extends ProcessCalls, SignalCalls, FileCalls, SocketCalls, TerminalCalls, HookCalls {}

let loading: Promise<Helper> | undefined;

/** Loads the library when first called; from then on it is there. */
export function loadHelper(): Promise<Helper> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Helper> {
  const library = await loadLibrary();
  const processes = processCalls(library);
  processes.keepChildren();
  return {
    ...processes,
    ...signalCalls(library),
    ...fileCalls(library),
    ...socketCalls(library),
    ...terminalCalls(library),
    ...hookCalls(library),
  };
}
