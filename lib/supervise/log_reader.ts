/** The lines of a container's log. */

import { quote, RuntsError } from "../base/errors.ts";
import type { LogSettings } from "../state/supervised.ts";
import { type LogOptions, readLines } from "../monitor/follow.ts";
import { lineParser, type LogLine } from "./log_line.ts";

/**
 * The lines of a log.
 *
 * @param end whoever follows gives what was written up to this moment, and ends
 */
export async function* readLog(
  log: Pick<LogSettings, "driver" | "path">,
  options: LogOptions,
  end?: Promise<unknown>,
): AsyncGenerator<LogLine> {
  const parse = lineParser(log.driver);
  if (parse === undefined) {
    throw new RuntsError(`log driver ${quote(log.driver)} keeps nothing that could be read`);
  }
  const { since } = options;
  if (since !== undefined && log.driver === "raw") {
    throw new RuntsError('log driver "raw" keeps no times', { hint: "read it without --since" });
  }
  // Lines come in the order of their times.
  let begun = since === undefined;
  for await (const read of readLines(log.path, options, (one) => !parse(one).partial, end)) {
    const line = parse(read);
    begun ||= Date.parse(line.time) >= since!.getTime();
    if (begun) yield line;
  }
}
