/** Lines of log files, in the forms that the monitor writes. */

import { decodeBytes } from "../base/bytes.ts";
import type { Line } from "../monitor/log_files.ts";
import type { LogSettings } from "../state/supervised.ts";

/** A line that a program wrote, or a part of a long one. */
export interface LogLine {
  /** Where it was written to. */
  readonly stream: "stdout" | "stderr";
  /** RFC 3339 with nanoseconds, UTC; "" where the form has no times, or the line is damaged. */
  readonly time: string;
  /** Without its newline. A byte that is no UTF-8 is a surrogate that stands alone (U+DC80 to U+DCFF). */
  readonly text: string;
  /** Whether the line goes on: in the next of the same stream, or the program never ended it. */
  readonly partial: boolean;
}

/** Makes of a line of a file what it says. */
export type LineParser = (line: Line) => LogLine;

const SPACE = 0x20;
const encoder = new TextEncoder();
const [STDOUT, STDERR] = [encoder.encode("stdout"), encoder.encode("stderr")];

/** The reader of a form; undefined where nothing is kept in files. */
export function lineParser(driver: LogSettings["driver"]): LineParser | undefined {
  return { "cri": parseCri, "json-file": parseJson, "raw": parseRaw }[driver as string];
}

/** A program may write what is no UTF-8, and a line that is no log line is given as it is. */
function parseRaw({ bytes, ended }: Line): LogLine {
  return { stream: "stdout", time: "", text: decodeBytes(bytes), partial: !ended };
}

/** `2026-11-30T10:00:00.123456789Z stdout F text`; tags are separated by `:`, F or P is the first. */
function parseCri(line: Line): LogLine {
  const { bytes } = line;
  const time = bytes.indexOf(SPACE);
  const stream = bytes.indexOf(SPACE, time + 1);
  const tag = bytes.indexOf(SPACE, stream + 1);
  const name = streamOf(bytes.subarray(time + 1, stream));
  const first = bytes[stream + 1];
  if (time < 0 || stream < 0 || name === undefined || (first !== 0x46 && first !== 0x50)) {
    return parseRaw(line);
  }
  return {
    stream: name,
    time: decodeBytes(bytes.subarray(0, time)),
    text: tag < 0 ? "" : decodeBytes(bytes.subarray(tag + 1)),
    partial: first === 0x50,
  };
}

function streamOf(name: Uint8Array): LogLine["stream"] | undefined {
  if (isSame(name, STDOUT)) return "stdout";
  return isSame(name, STDERR) ? "stderr" : undefined;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** `{"log":"text\n","stream":"stdout","time":"…"}` */
function parseJson(line: Line): LogLine {
  try {
    const { log, stream, time } = JSON.parse(decodeBytes(line.bytes));
    if (typeof log !== "string" || (stream !== "stdout" && stream !== "stderr")) {
      return parseRaw(line);
    }
    const ended = log.endsWith("\n");
    return {
      stream,
      time: String(time),
      text: ended ? log.slice(0, -1) : log,
      partial: !ended,
    };
  } catch {
    return parseRaw(line);
  }
}
