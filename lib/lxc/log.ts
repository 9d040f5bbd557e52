/**
 * Logs in LXC's form, a line each: `lxc-start web 20261130191041.511 ERROR    start - …`. What is logged are the
 * causes of failures, warnings, what becomes of a container and, from DEBUG on, each step of its init.
 */

import type { Caller } from "../base/caller.ts";
import { quote, reason, RuntsError } from "../base/errors.ts";
import { SYSLOG_FACILITIES, syslogEntry } from "../base/syslog.ts";
import { type Runtime, withSettings } from "../runtime/runtime.ts";
import { LOG_LEVELS, type LogLevel } from "./config/values.ts";
import type { SystemPlan } from "./plan/types.ts";

/** Where lines go, and which. */
interface Target {
  /** `lxc-start` */
  readonly program: string;
  /** Of the container, if it is one's. */
  readonly name: string | undefined;
  /** For whom is logged. */
  readonly caller: Pick<Caller, "pid" | "masked">;
  /** The least that is logged. */
  readonly level: LogLevel;
  /** Absolute. */
  readonly file?: string;
  /** Facility of syslog(3): `local0`. */
  readonly syslog?: string;
}

const MODE = 0o640;
/** Of syslog(3), by LXC's names. */
const SEVERITIES: Readonly<Record<LogLevel, number>> = {
  TRACE: 7,
  DEBUG: 7,
  INFO: 6,
  NOTICE: 5,
  WARN: 4,
  ERROR: 3,
  CRIT: 2,
  ALERT: 1,
  FATAL: 0,
};

/** Some of what happens is written to it. */
export class SystemLog {
  readonly #target: Target;
  readonly #send: ((entry: Uint8Array) => void) | undefined;

  private constructor(target: Target, send?: (entry: Uint8Array) => void) {
    this.#target = target;
    this.#send = send;
  }

  /** Throws RuntsError where it cannot be written. */
  static async open(target: Target): Promise<SystemLog> {
    if (target.file !== undefined) append(target.file, "", target.caller.masked(MODE));
    if (target.syslog === undefined) return new SystemLog(target);
    const { loadHelper } = await import("../../ffi/helper.ts");
    const helper = await loadHelper();
    return new SystemLog(target, (entry) => helper.sendDatagramSync("/dev/log", entry));
  }

  shows(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.#target.level);
  }

  /** Writes a line; a log that is gone is no failure of what is logged. */
  write(level: LogLevel, module: string, text: string): void {
    if (!this.shows(level)) return;
    const { program, name, file, syslog, caller } = this.#target;
    try {
      if (file !== undefined) {
        const head = [program, ...(name === undefined ? [] : [name]), stamp(new Date())].join(" ");
        append(file, `${head} ${level.padEnd(8)} ${module} - ${text}\n`, caller.masked(MODE));
      }
      const facility = SYSLOG_FACILITIES[syslog ?? ""];
      if (facility !== undefined) {
        const severity = SEVERITIES[level];
        const head = { id: program, pid: caller.pid, facility, severity };
        this.#send?.(syslogEntry(head, `${name} ${text}`));
      }
    } catch {
      // as said above
    }
  }

  /** The runtime, whose warnings and steps are logged as well. */
  on<R extends Runtime>(runtime: R): R {
    const { warn, debug } = runtime;
    return withSettings(runtime, {
      warn: (message) => {
        this.write("WARN", "runts", message);
        warn(message);
      },
      ...(this.shows("DEBUG") && {
        debug: (line) => {
          this.write("DEBUG", "init", line);
          debug?.(line);
        },
      }),
    });
  }
}

function append(file: string, text: string, mode: number): void {
  try {
    Deno.writeTextFileSync(file, text, { append: true, mode });
  } catch (cause) {
    throw new RuntsError(`write log ${quote(file)}`, {
      configPath: "beyond.log.file",
      cause: new Error(reason(cause)),
    });
  }
}

/** Universal time with milliseconds. */
function stamp(time: Date): string {
  return time.toISOString().replace(/[-:TZ]/g, "");
}

/** The log that a configuration asks for; undefined where it asks for none. */
export async function logOf(
  { caller }: Runtime,
  plan: SystemPlan,
): Promise<SystemLog | undefined> {
  const { beyond: { log }, name, directory } = plan;
  const usual = log.isAsked ? `${directory}/${name}.log` : undefined;
  const file = log.file === "none" ? undefined : log.file ?? usual;
  if (file === undefined && log.syslog === undefined) return undefined;
  return await SystemLog.open({
    program: "lxc-start",
    name,
    caller,
    level: log.level,
    ...(file !== undefined && { file }),
    ...(log.syslog !== undefined && { syslog: log.syslog }),
  });
}
