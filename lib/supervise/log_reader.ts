/** The lines of a container's log. */

import { quote, RuntsError } from "../base/errors.ts";
import type { LogSettings } from "../state/supervised.ts";
import { type LogOptions, readLines } from "../monitor/follow.ts";
import { type LineParser, lineParser, type LogLine } from "./log_line.ts";

/**
 * The lines of a log. Throws at once where there are none to be had.
 *
 * @param end whoever follows gives what was written up to this moment, and ends
 */
export function readLog(
  log: Pick<LogSettings, "driver" | "path">,
  options: LogOptions,
  end?: Promise<unknown>,
): AsyncGenerator<LogLine> {
  const parse = lineParser(log.driver);
  if (parse === undefined) {
    throw new RuntsError(`log driver ${quote(log.driver)} keeps nothing that could be read`);
  }
  if (options.since !== undefined && log.driver === "raw") {
    throw new RuntsError('log driver "raw" keeps no times', { hint: "read it without --since" });
  }
  return linesOf(log.path, options, parse, end);
}

async function* linesOf(
  path: string,
  options: LogOptions,
  parse: LineParser,
  end: Promise<unknown> | undefined,
): AsyncGenerator<LogLine> {
  const { since } = options;
  // Lines come in the order of their times.
  let begun = since === undefined;
  for await (const read of readLines(path, options, (one) => !parse(one).partial, end)) {
    const line = parse(read);
    begun ||= Date.parse(line.time) >= since!.getTime();
    if (begun) yield line;
  }
}
