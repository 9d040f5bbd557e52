/** Runs one command: parses, opens the log, calls it, and reports what it throws, once. */

import { isRuntsError, reason } from "../base/errors.ts";
import { AT_ONCE } from "../base/document_file.ts";
import { ProcessCaller } from "../runtime/process_caller.ts";
import { Runtime, type RuntimeSettings } from "../runtime/runtime.ts";
import { verbPlace } from "./dispatch.ts";
import { type GlobalValues, runtimeSettings } from "./globals.ts";
import { type Log, openLog, toStderr } from "./log.ts";
import { print } from "./output.ts";
import { parse } from "./parse.ts";
import type { Command } from "./types.ts";

/** Most of what a command waits for comes within this time, in ms. */
const PATIENCE = 5;

/**
 * @param args the whole command line, with global options and the verb in it
 * @returns the exit code
 */
export async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  if (command.sub !== undefined) {
    const first = verbPlace(args);
    const second = first + 1 + verbPlace(args.slice(first + 1));
    const sub = await command.sub(args[second] ?? "");
    // Its name is two words to those who type it, and one here.
    if (sub !== undefined) {
      return await runCommand(sub, args.toSpliced(second, 1).with(first, sub.name));
    }
  }
  let log: Pick<Log, "fail"> = { fail: (message) => toStderr("error", message) };
  try {
    const line = parse(command, args);
    const { help, usage } = line.globals;
    if ((help || usage) && command.name !== "help") return await showHelp(command, help === true);
    const opened = await openLog(line.globals);
    log = opened;
    if (line.problem !== undefined) throw line.problem;
    return await command.run({
      runtime: runtimeOf(line.globals, opened),
      ...(line.globals.criu !== undefined && { criu: line.globals.criu }),
      args: line.args as Record<string, never>,
      options: line.options as Record<string, never>,
      print,
    }) ?? 0;
  } catch (error) {
    // What fails before the verb begins does not know its name; help answers for verbs that are none.
    const unnamed = isRuntsError(error) && command.name !== "help";
    const named = unnamed ? error.with({ command: command.name }) : error;
    if (!isBrokenPipe(error)) log.fail(reason(named));
    return isRuntsError(error) ? error.data.exitCode ?? 1 : 1;
  }
}

/** A command has its process for itself: nobody else waits for the event loop. */
function runtimeOf(
  values: GlobalValues,
  { warn, debug }: Pick<RuntimeSettings, "warn" | "debug">,
): Runtime {
  const caller = new ProcessCaller();
  return new Runtime({
    ...runtimeSettings(caller, values),
    ...(warn && { warn }),
    ...(debug && { debug }),
    caller,
    files: AT_ONCE,
    patience: PATIENCE,
  });
}

/** Whether the reader of the standard output has gone; nobody is left to be told. */
function isBrokenPipe(error: unknown): boolean {
  return isRuntsError(error) && error.data.cause instanceof Deno.errors.BrokenPipe;
}

async function showHelp(command: Command, full: boolean): Promise<number> {
  const { commandHelp, usageLine } = await import("./help.ts");
  if (full) print(commandHelp(command, await command.verbs?.()));
  else print(`Usage: ${usageLine(command)}\n`);
  return 0;
}
