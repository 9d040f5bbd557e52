/** `--trace FILE`: what a command did, and when. */

import { absolute } from "../base/absolute.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { Recorder } from "../runtime/recorder.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { traceEvents } from "./trace_events.ts";

/**
 * Runs a command and writes the trace of it, also when it fails. Throws before it has begun when the file cannot be
 * written.
 */
export async function withTrace<T>(
  runtime: Runtime,
  file: string,
  title: string,
  body: () => Promise<T>,
): Promise<T> {
  const path = absolute(runtime.caller, file);
  const isOwn = runtime.body === undefined; // and not that of another process that was there before
  const recorder = Recorder.attach(runtime);
  if (isOwn) recorder.addStart(runtime.caller.proc);
  write(path, "");
  try {
    return await body();
  } finally {
    write(path, traceEvents(title, recorder.spans));
  }
}

function write(path: string, text: string): void {
  try {
    Deno.writeTextFileSync(path, text);
  } catch (cause) {
    throw new RuntsError(`write ${quote(path)}`, { cause });
  }
}
