/** Records in JSON: read strictly, and written in one step. */

import { ENOENT } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import { formatJson, parseJson } from "../spec/json/json.ts";

/** No record is as long, in bytes. */
const RECORD_MAX = 16 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/** The fields of one object of a record; whatever is wrong is named with file, place and value. */
export class RecordReader {
  readonly #fields: Fields;

  private constructor(readonly file: string, fields: Fields, readonly place = "") {
    this.#fields = fields;
  }

  /** A record from its text. */
  static parse(file: string, text: string): RecordReader {
    let document: unknown;
    try {
      document = parseJson(text, file);
    } catch {
      throw damaged(file, text === "" ? "it is empty" : "it is not JSON");
    }
    if (!isObject(document)) throw damaged(file, "it holds no object");
    return new RecordReader(file, document);
  }

  text(name: string): string {
    return this.#value(name, "string") as string;
  }

  textIfAny(name: string): string | undefined {
    return this.#has(name) ? this.text(name) : undefined;
  }

  flag(name: string): boolean {
    return this.#value(name, "boolean") as boolean;
  }

  flagIfAny(name: string): boolean | undefined {
    return this.#has(name) ? this.flag(name) : undefined;
  }

  /** A whole number, 0 or more. */
  count(name: string): number {
    const value = this.#value(name, "number") as number;
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#wrong(name, `is ${value}, out of range`);
  }

  countIfAny(name: string): number | undefined {
    return this.#has(name) ? this.count(name) : undefined;
  }

  /** One of these words. */
  word<const W extends string>(name: string, words: readonly W[]): W {
    const value = this.text(name);
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw this.#wrong(name, `is ${quote(value)}, not one of ${words.join(", ")}`);
  }

  /** RFC 3339. */
  time(name: string): string {
    const value = this.text(name);
    if (!Number.isNaN(Date.parse(value))) return value;
    throw this.#wrong(name, `is ${quote(value)}, not a time`);
  }

  timeIfAny(name: string): string | undefined {
    return this.#has(name) ? this.time(name) : undefined;
  }

  /** Texts by name. */
  texts(name: string): Record<string, string> {
    const value = this.#fields[name] ?? {};
    if (!isObject(value)) throw this.#wrong(name, `is ${quote(value)}, not an object`);
    for (const [key, text] of Object.entries(value)) {
      if (typeof text === "string") continue;
      throw this.#wrong(`${name}.${key}`, `is ${quote(text)}, not a string`);
    }
    return value as Record<string, string>;
  }

  /** An object within. */
  within(name: string): RecordReader {
    const value = this.#fields[name];
    if (isObject(value)) return new RecordReader(this.file, value, `${this.place}${name}.`);
    throw this.#wrong(
      name,
      value === undefined ? "is missing" : `is ${quote(value)}, not an object`,
    );
  }

  withinIfAny(name: string): RecordReader | undefined {
    return this.#has(name) ? this.within(name) : undefined;
  }

  /** A part whose reader has checks of its own. */
  raw(name: string): unknown {
    return this.#fields[name];
  }

  #has(name: string): boolean {
    return this.#fields[name] !== undefined;
  }

  #value(name: string, kind: "string" | "boolean" | "number"): unknown {
    const value = this.#fields[name];
    // deno-lint-ignore valid-typeof -- the kinds are names of types
    if (typeof value === kind) return value;
    const found = value === undefined ? "is missing" : `is ${quote(value)}, not a ${kind}`;
    throw this.#wrong(name, found);
  }

  #wrong(name: string, what: string): RuntsError {
    return damaged(this.file, `${quote(this.place + name)} ${what}`);
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function damaged(file: string, cause: string): RuntsError {
  return new RuntsError(`read record ${quote(file)}`, { cause: new Error(cause) });
}

/** The text of a record; undefined when it is not there. */
export function readRecord(file: string): string | undefined {
  try {
    const { isFile, size } = Deno.statSync(file);
    // Reading a fifo would wait for a writer.
    if (!isFile) throw damaged(file, "it is not a regular file");
    if (size > RECORD_MAX) throw damaged(file, `it is longer than ${RECORD_MAX / 1024 / 1024} MiB`);
    return Deno.readTextFileSync(file);
  } catch (cause) {
    if (cause instanceof RuntsError) throw cause;
    if (errnoOf(cause) === ENOENT) return undefined;
    throw new RuntsError(`read record ${quote(file)}`, { cause });
  }
}

/** Writes a record beside its place and renames it into place: a reader sees all of it, or the one before. */
export function writeRecord(file: string, value: unknown): void {
  const slash = file.lastIndexOf("/");
  const temporary = `${file.slice(0, slash)}/.${file.slice(slash + 1)}.new`;
  try {
    Deno.writeTextFileSync(temporary, `${formatJson(value)}\n`, { mode: 0o600 });
    Deno.renameSync(temporary, file);
  } catch (cause) {
    throw new RuntsError(`write record ${quote(file)}`, { cause });
  }
}
