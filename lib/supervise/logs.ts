/** `logs`: what a supervised container has written. */

import type { ContainerName } from "../caller/options.ts";
import type { LogOptions } from "../monitor/follow.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { RuntimeOrSettings } from "../runtime/runtime.ts";
import { StateDirectory } from "../state/directory.ts";
import { INIT } from "../state/process_record.ts";
import type { LogLine } from "./log_line.ts";
import { readLog } from "./log_reader.ts";
import { supervisedOf, untilOver } from "./wait.ts";

/** What is read, of which container. */
export interface LogsOptions extends ContainerName, LogOptions {}

/** The lines of its log. Whoever follows it gets them until the container has ended for good, or is gone. */
export async function* logs(
  given: RuntimeOrSettings,
  options: LogsOptions,
): AsyncGenerator<LogLine, void> {
  const over = new AbortController();
  const { lines } = await inCommand(given, "logs", options.id, async (unloaded) => {
    const directory = new StateDirectory(unloaded, options.id);
    const { log } = supervisedOf(directory);
    if (!options.follow) return { lines: readLog(log, options) };
    const { promise: end, resolve } = Promise.withResolvers<unknown>();
    const lines = readLog(log, options, end);
    const runtime = await load(unloaded);
    untilOver(runtime, directory, INIT, over.signal).then(resolve, resolve);
    return { lines };
  }, options.signal);
  try {
    yield* lines;
  } finally {
    over.abort();
  }
}
