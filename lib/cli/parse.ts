/**
 * Parses a command line after a command's table. Options may stand before and after arguments,
 * global ones also before the verb; `--x V`, `--x=V`, Go's `-x=V` for long names, and combined
 * short options are all understood.
 */

import { quote, RuntsError } from "../base/errors.ts";
import { GLOBAL_OPTIONS, type GlobalValues, LATE_OPTIONS } from "./globals.ts";
import { nearest } from "../base/nearest.ts";
import { type Declaration, longName, type Option, type Options } from "./types.ts";

type Values = Record<string, unknown>;

/** A parsed command line. */
export interface CommandLine {
  readonly globals: GlobalValues;
  readonly options: Values;
  readonly args: Values;
  /** The first mistake; the rest was parsed all the same, so that `--log` is known. */
  problem: RuntsError | undefined;
}

/** An option that was found in one of the tables. */
interface Found {
  readonly key: string;
  readonly option: Option;
  readonly values: Values;
}

/** @param args the whole command line, with the verb in it */
export function parse(command: Declaration, args: readonly string[]): CommandLine {
  const parser = new Parser(command, args);
  parser.parse();
  return parser.line;
}

class Parser {
  readonly line: CommandLine;
  private verbSeen = false;
  private next = 0;
  private readonly words: string[] = [];

  constructor(private readonly command: Declaration, private readonly args: readonly string[]) {
    this.line = { globals: {}, options: {}, args: {}, problem: undefined };
  }

  parse(): void {
    const { args } = this;
    while (this.next < args.length) {
      if (this.restBegins(args[this.next]!)) break;
      const word = args[this.next++]!;
      if (word === "--") break;
      if (word.length > 1 && word.startsWith("-")) this.optionWord(word);
      else this.argumentWord(word);
    }
    this.words.push(...args.slice(this.next));
    this.assignArguments();
  }

  /** Whether this word and all after it belong to the argument that takes the rest. */
  private restBegins(word: string): boolean {
    const { rest } = Object.values(this.command.arguments)[this.words.length] ?? {};
    const isWord = word === "-" || !word.startsWith("-");
    if (!this.verbSeen && word === this.command.name) return false;
    return rest !== undefined && (isWord || (rest === "words" && this.verbSeen));
  }

  private argumentWord(word: string): void {
    if (!this.verbSeen && word === this.command.name) this.verbSeen = true;
    else this.words.push(word);
  }

  private optionWord(word: string): void {
    const equals = word.indexOf("=");
    const end = equals < 0 ? word.length : equals;
    const name = word.slice(word.startsWith("--") ? 2 : 1, end);
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    const isLong = word.startsWith("--") || (name.length > 1 && !this.command.abbreviates);
    const found = isLong && name.length > 1 ? this.findLong(name) : undefined;
    if (found) this.take(found, `--${name}`, value);
    else if (word.startsWith("--")) this.unknown(word.slice(0, end), name);
    else this.shortWord(word.slice(1));
  }

  /** `-d`, `-dt`, `-bDIR`, `-b=DIR`, `-b DIR`. */
  private shortWord(letters: string): void {
    for (let i = 0; i < letters.length; i++) {
      const letter = letters[i]!;
      const found = this.findShort(letter);
      if (found === undefined) return this.unknown(`-${letters}`, letters);
      const left = letters.slice(i + 1);
      const isLast = found.option.value !== undefined || left.startsWith("=");
      const value = left.startsWith("=") ? left.slice(1) : left || undefined;
      this.take(found, `-${letter}`, isLast ? value : undefined);
      if (isLast) return;
    }
  }

  /** Stores the value of an option, which may be the word after it. */
  private take({ key, option, values }: Found, name: string, given: string | undefined): void {
    if (option.value === undefined) {
      values[key] = given === undefined || this.truth(name, given);
      return;
    }
    const value = given ?? option.alone ?? this.args[this.next++];
    if (value === undefined) return this.fail(`option ${quote(name)} needs a value`);
    if (option.repeat) ((values[key] ??= []) as string[]).push(value);
    else if (value === "") delete values[key]; // as if it had not been given
    else values[key] = this.checked(option, name, value);
  }

  private checked(option: Option, name: string, value: string): string | number {
    if (option.integer && !/^\d{1,15}$/.test(value)) {
      this.fail(`option ${quote(name)}: ${quote(value)} is not a whole number from 0`);
    }
    if (option.choices && !option.choices.includes(value)) {
      const choices = option.choices.join(", ");
      this.fail(`option ${quote(name)}: ${quote(value)} is not one of ${choices}`);
    }
    return option.integer ? Number(value) : value;
  }

  private truth(name: string, value: string): boolean {
    if (/^(true|t|1|yes)$/i.test(value)) return true;
    if (!/^(false|f|0|no)$/i.test(value)) {
      this.fail(`option ${quote(name)}: ${quote(value)} is not true or false`);
    }
    return false;
  }

  private assignArguments(): void {
    const { command, words } = this;
    if (!this.verbSeen && words[0] === command.name) words.shift();
    const declared = Object.entries(command.arguments);
    for (const [i, [key, argument]] of declared.entries()) {
      if (argument.rest) {
        this.line.args[key] = words.slice(i);
        return;
      }
      const word = words[i];
      if (word !== undefined) this.line.args[key] = word;
      else if (!argument.optional) return this.fail(`missing argument ${argument.value}`);
      if (word !== undefined && argument.choices && !argument.choices.includes(word)) {
        this.fail(`${argument.value} ${quote(word)} is not one of ${argument.choices.join(", ")}`);
      }
    }
    if (words.length > declared.length) {
      this.fail(`unexpected argument ${quote(words[declared.length])}`);
    }
  }

  /** Where options are looked for; a command's own hide global ones of the same name. */
  private tables(): [Options, Values][] {
    const { globals, options } = this.line;
    return this.verbSeen
      ? [[this.command.options, options], [LATE_OPTIONS, globals as Values]]
      : [[GLOBAL_OPTIONS, globals as Values]];
  }

  private findLong(name: string): Found | undefined {
    const key = name.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());
    if (longName(key) !== name) return undefined;
    for (const [table, values] of this.tables()) {
      if (Object.hasOwn(table, key)) return { key, option: table[key]!, values };
    }
    return this.command.abbreviates ? this.findBeginning(name) : undefined;
  }

  /** The one option of the command that begins so. */
  private findBeginning(name: string): Found | undefined {
    const { options } = this.command;
    const [key, ...others] = Object.keys(options).filter((one) => longName(one).startsWith(name));
    if (key === undefined || others.length > 0 || !this.verbSeen) return undefined;
    return { key, option: options[key]!, values: this.line.options };
  }

  private findShort(letter: string): Found | undefined {
    for (const [table, values] of this.tables()) {
      for (const [key, option] of Object.entries(table)) {
        if (option.short?.includes(letter)) return { key, option, values };
      }
    }
    return undefined;
  }

  private unknown(shown: string, name: string): void {
    const names = this.tables().flatMap(([table]) =>
      Object.entries(table).filter(([, option]) => !option.hidden).map(([key]) => longName(key))
    );
    const near = nearest(name, names);
    this.fail(
      `unknown option ${quote(shown)}`,
      near === undefined ? undefined : `did you mean ${quote(`--${near}`)}?`,
    );
  }

  private fail(operation: string, hint?: string): void {
    const { name } = this.command;
    hint ??= `see ${quote(`runts ${name} --help`)}`;
    this.line.problem ??= new RuntsError(operation, { command: name, hint });
  }
}
