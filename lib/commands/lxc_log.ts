/** `-o FILE -l LEVEL -q` of LXC's commands. */

import { absolute } from "../base/absolute.ts";
import { isRuntsError, quote, reason, RuntsError } from "../base/errors.ts";
import type { Command } from "../cli/types.ts";
import { type LogLevel, logLevel } from "../lxc/config/values.ts";
import { SystemLog } from "../lxc/log.ts";
import { type Runtime, withSettings } from "../runtime/runtime.ts";

type Context = Parameters<Command["run"]>[0];

/** What was given of them. */
interface LogOptions {
  readonly logfile?: string;
  readonly logpriority?: string;
  readonly quiet?: boolean;
}

/** Runs a command; its failure and its warnings are logged, and not told to who wants it quiet. */
export async function runLogged(command: Command, context: Context): Promise<number | void> {
  const { logfile, logpriority, quiet }: LogOptions = context.options;
  const level = levelOf(logpriority);
  // A container's own log has what its start says.
  const isOwn = command.name === "lxc start" || command.name === "lxc execute";
  const log = logfile === undefined || isOwn
    ? undefined
    : await openLog(context, command.name, logfile, level);
  const silent = quiet || log !== undefined
    ? withSettings(context.runtime, { warn: () => {} })
    : context.runtime;
  try {
    return await command.run({ ...context, runtime: log?.on(silent) ?? silent });
  } catch (error) {
    log?.write("ERROR", command.name.replace(" ", "_"), reason(error));
    if (!quiet) throw error;
    return isRuntsError(error) ? error.data.exitCode ?? 1 : 1;
  }
}

function openLog(
  { runtime: { caller }, options }: Context,
  command: string,
  logfile: string,
  level: LogLevel | undefined,
): Promise<SystemLog> {
  const name = options["name"];
  return SystemLog.open({
    program: command.replace(" ", "-"),
    caller,
    name: typeof name === "string" ? name : undefined,
    level: level ?? "ERROR",
    file: absolute(caller, logfile),
  });
}

function levelOf(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined;
  return logLevel(text, (fault) => {
    throw new RuntsError(`option "--logpriority": ${quote(text)} ${fault}`);
  });
}

/** Settings of a container that log as the command line says. */
export function logSettings(
  { caller }: Runtime,
  { logfile, logpriority }: LogOptions,
): string[] {
  return [
    ...(logfile === undefined ? [] : [`lxc.log.file=${absolute(caller, logfile)}`]),
    ...(logpriority === undefined ? [] : [`lxc.log.level=${logpriority}`]),
  ];
}
