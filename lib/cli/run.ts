/** Runs one command: parses, opens the log, calls it, and reports what it throws, once. */

import { isRuntsError, reason } from "../base/errors.ts";
import { AT_ONCE } from "../base/document_file.ts";
import { ProcessCaller } from "../runtime/process_caller.ts";
import { Runtime, type RuntimeSettings } from "../runtime/runtime.ts";
import { verbPlace } from "./dispatch.ts";
import { type GlobalValues, runtimeSettings } from "./globals.ts";
import { errorLine, type Log, openLog } from "./log.ts";
import { OWN_OUTPUT } from "./output.ts";
import { type CommandLine, parse } from "./parse.ts";
import type { Command, Setting } from "./types.ts";

/** Most of what a command waits for comes within this time, in ms. */
const PATIENCE = 5;

/**
 * @param args the whole command line, with global options and the verb in it
 * @returns the exit code
 */
export async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  if (command.raw !== undefined) return await command.raw(args.slice(verbPlace(args) + 1));
  const [called, line] = await calledCommand(command, args);
  return await runLine(called, () => parse(called, line), OWN);
}

/** The command that a line is for, which may be one below another, and the line as that one parses it. */
export async function calledCommand(
  command: Command,
  args: readonly string[],
): Promise<readonly [command: Command, args: readonly string[]]> {
  if (command.sub === undefined) return [command, args];
  const first = verbPlace(args);
  const second = first + 1 + verbPlace(args.slice(first + 1));
  const sub = await command.sub(args[second] ?? "");
  // Its name is two words to those who type it, and one here.
  return sub === undefined
    ? [command, args]
    : [sub, args.toSpliced(second, 1).with(first, sub.name)];
}

/**
 * Runs a command whose line is parsed already, or about to be.
 *
 * @param line may throw what is wrong with it
 * @returns the exit code
 */
export async function runLine(
  command: Command,
  line: () => CommandLine,
  setting: Setting,
): Promise<number> {
  const { output } = setting;
  let log: Pick<Log, "fail" | "close"> = {
    fail: (message) => output.printError(errorLine(message)),
    close: () => {},
  };
  try {
    const { globals, problem, args, options } = line();
    const { help, usage, criu } = globals;
    if ((help || usage) && command.name !== "help") {
      return await showHelp(command, output, help === true);
    }
    const runtime = setting.runtime();
    const opened = await openLog(globals, runtime.caller, output);
    log = opened;
    if (problem !== undefined) throw problem;
    const own = runtimeOf(globals, runtime, opened);
    const run = async () =>
      await command.run({
        runtime: own,
        ...(criu !== undefined && { criu }),
        args: args as Record<string, never>,
        options: options as Record<string, never>,
        print: output.print,
        write: output.write,
        columns: output.columns,
        ...(setting.signal && { signal: setting.signal }),
      }) ?? 0;
    const { trace } = options as { trace?: string };
    const code = trace === undefined
      ? await run()
      : await (await import("./trace_file.ts")).withTrace(own, trace, titleOf(command, args), run);
    await output.flush?.();
    return code;
  } catch (error) {
    // What fails before the verb begins does not know its name; help answers for verbs that are none.
    const unnamed = isRuntsError(error) && command.name !== "help";
    const named = unnamed ? error.with({ command: command.name }) : error;
    if (!isBrokenPipe(error)) log.fail(reason(named));
    return isRuntsError(error) ? error.data.exitCode ?? 1 : 1;
  } finally {
    log.close();
  }
}

/** `runts exec web sh -c x` */
function titleOf({ name }: Command, args: CommandLine["args"]): string {
  return ["runts", name, ...Object.values(args).flat()].join(" ");
}

/** A command has its process for itself: nobody else waits for the event loop. */
const OWN: Setting = {
  output: OWN_OUTPUT,
  runtime: () => ({ caller: new ProcessCaller(), files: AT_ONCE, patience: PATIENCE }),
};

function runtimeOf(
  values: GlobalValues,
  settings: ReturnType<Setting["runtime"]>,
  { warn, debug }: Pick<RuntimeSettings, "warn" | "debug">,
): Runtime {
  return new Runtime({
    ...runtimeSettings(settings.caller, values),
    ...(warn && { warn }),
    ...(debug && { debug }),
    ...settings,
  });
}

/** Whether the reader of the standard output has gone; nobody is left to be told. */
function isBrokenPipe(error: unknown): boolean {
  return isRuntsError(error) && error.data.cause instanceof Deno.errors.BrokenPipe;
}

async function showHelp(
  command: Command,
  { print, flush }: Setting["output"],
  full: boolean,
): Promise<number> {
  const { commandHelp, usageLine } = await import("./help.ts");
  if (full) print(commandHelp(command, await command.verbs?.()));
  else print(`Usage: ${usageLine(command)}\n`);
  await flush?.();
  return 0;
}
