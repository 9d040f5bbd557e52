/**
 * The command table: one declaration per command drives parsing, help, shell completion and the
 * man page. Keys are in camelCase and become long options: `pidFile` is `--pid-file`.
 */

import type { Caller } from "../base/caller.ts";
import type { Runtime, RuntimeSettings } from "../runtime/runtime.ts";

/** What a shell offers for a value. */
export type Completion = "file" | "directory" | "container" | "signal" | "command" | "none";

/** An option. Without `value` it is a flag. */
export interface Option {
  readonly description: string;
  /** One letter, or several that mean the same. */
  readonly short?: string;
  /** Name of the value in help: `FILE`. */
  readonly value?: string;
  /** What it is worth when it is given alone; a value then stands in the same word: `-eCAP`. */
  readonly alone?: string;
  /** The value is a whole number, 0 or more. */
  readonly integer?: true;
  /** The value is one of these. */
  readonly choices?: readonly string[];
  /** May be given several times; every value counts. */
  readonly repeat?: true;
  /** Accepted for compatibility; not shown. */
  readonly hidden?: true;
  readonly complete?: Completion;
}

/** An argument, in the order of the declaration. */
export interface Argument {
  /** Name in help: `CONTAINER`. */
  readonly value: string;
  readonly description: string;
  readonly optional?: true;
  /**
   * Takes all that is left. `command`: options end at its first word, as in `exec ID -t sh -c x`;
   * `words`: every word after the argument before it, options too, as in `ps ID -ef`.
   */
  readonly rest?: "command" | "words";
  readonly choices?: readonly string[];
  readonly complete?: Completion;
}

export type Options = Readonly<Record<string, Option>>;
export type Arguments = Readonly<Record<string, Argument>>;

type Choice<T, Otherwise> = T extends { choices: readonly (infer C)[] } ? C : Otherwise;

type OptionValue<O extends Option> = O extends { value: string }
  ? O extends { repeat: true } ? string[]
  : O extends { integer: true } ? number
  : Choice<O, string>
  : boolean;

/** What parsing yields for a table of options: only what was given is there. */
export type OptionValues<O extends Options> = { -readonly [K in keyof O]?: OptionValue<O[K]> };

type ArgumentValue<A extends Argument> = A extends { rest: string } ? string[] : Choice<A, string>;
type OptionalKeys<A extends Arguments> = {
  [K in keyof A]: A[K] extends { rest: string } ? never
    : A[K] extends { optional: true } ? K
    : never;
}[keyof A];

/** What parsing yields for a table of arguments; those with `rest` are there even when empty. */
type ArgumentValues<A extends Arguments> =
  & { -readonly [K in Exclude<keyof A, OptionalKeys<A>>]: ArgumentValue<A[K]> }
  & { -readonly [K in OptionalKeys<A>]?: ArgumentValue<A[K]> };

/** Where a command's text goes. */
export interface Output {
  /** Writes text to a standard stream, as it is. */
  readonly write: (to: "stdout" | "stderr", text: string) => void;
  /** The same to the standard output. */
  readonly print: (text: string) => void;
  /** What there is to tell, to the standard error. What fails is nothing to report: there is no other place to tell it. */
  readonly printError: (text: string) => void;
  /** How wide the standard output is; undefined where it is no terminal. */
  readonly columns: () => Promise<number | undefined>;
  /** Where text is not written at once: waits until all of it is. Throws RuntsError where that failed. */
  readonly flush?: () => Promise<void>;
}

/** For whom a command runs. */
export interface Setting {
  readonly output: Output;
  /** What does not come from the command line. */
  readonly runtime: () => RuntimeSettings & { readonly caller: Caller };
  /** Aborted when nobody waits for the command any more. */
  readonly signal?: AbortSignal;
}

/** What a command is run with. */
interface Context<A extends Arguments = Arguments, O extends Options = Options> {
  readonly runtime: Runtime;
  /** Path of the criu executable, if `--criu` gave one. */
  readonly criu?: string;
  readonly args: ArgumentValues<A>;
  readonly options: OptionValues<O>;
  readonly print: Output["print"];
  readonly write: Output["write"];
  readonly columns: Output["columns"];
  readonly signal?: AbortSignal;
}

/** Headings of the list of commands. */
type Group =
  | "lifecycle"
  | "supervision"
  | "inspect"
  | "live"
  | "configuration"
  | "checkpoint"
  | "system"
  | "help";

interface Example {
  /** What it does; a phrase. */
  readonly text: string;
  readonly command: string;
}

/** All of a command but what it does. */
export interface Declaration<A extends Arguments = Arguments, O extends Options = Options> {
  readonly name: string;
  readonly group: Group;
  /** One line without final period. */
  readonly summary: string;
  /** Paragraphs, each one line. */
  readonly description?: readonly string[];
  readonly arguments: A;
  readonly options: O;
  readonly examples?: readonly Example[];
  /** Long options may be cut short, as getopt_long(3) has it. */
  readonly abbreviates?: true;
  /** The commands below this one: `lxc check` below `lxc`. Loads them, for help. */
  readonly verbs?: () => Promise<Declaration[]>;
}

/** A command; resolves to its exit code, or to nothing for 0. */
export interface Command<A extends Arguments = Arguments, O extends Options = Options>
  extends Declaration<A, O> {
  run(context: Context<A, O>): Promise<number | void>;
  /** Takes the words behind its name as they are, and sees to its own failures: a command line of others. */
  raw?(words: readonly string[]): Promise<number>;
  /** Loads a command below this one by its last word; undefined where there is none. */
  sub?(verb: string): Promise<Command | undefined>;
}

/** States a command; the types of what `run` gets follow from the tables. */
export function defineCommand<const A extends Arguments, const O extends Options>(
  command: Command<A, O>,
): Command {
  return command as Command;
}

/** `noPivot` → `no-pivot`. */
export function longName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
