/**
 * Limits as data: which file gets which value, and what in the configuration asked for it.
 * `resources_v1.ts` and `resources_v2.ts` make them; this writes them, and can take them back.
 */

import { EBUSY, EINVAL, ENOENT, ENOSPC } from "../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import type { Wide } from "../spec/types/config.ts";
import { readFile, writeFile } from "./files.ts";

/** One file of a cgroup and what is written to it. */
export interface Form {
  readonly file: string;
  readonly value: string;
}

/** One limit. */
export interface Setting {
  /** The controller whose directory has the file. */
  readonly controller: string;
  /** The first whose file exists is written: kernels differ in names. */
  readonly forms: readonly [Form, ...Form[]];
  /** As `linux.resources.memory.limit`. */
  readonly configPath: string;
  /** No error when none of the files exists. */
  readonly optional?: boolean;
  /** Files with a line for each device: which line this is about. */
  readonly line?: Line;
}

/** A line of a keyed file, for putting back what was there. */
interface Line {
  /** First word of the line. */
  readonly key: string;
  /** What is written when there was no such line. */
  readonly absent: string;
}

/** Explains a refused write; see reasons.ts. */
type Explain = (
  setting: Setting,
  directory: string,
  errno: number | undefined,
) => string | undefined;

/** What was in a file before it was written. */
interface Former {
  readonly file: string;
  readonly value: string;
}

/** Where settings are written and how refusals are explained. */
export interface Target {
  /** The directory of a controller; throws when there is none. */
  readonly directoryOf: (setting: Setting) => string;
  readonly explain: Explain;
  /** What is there already is restored when a later value is refused. */
  readonly keepFormer: boolean;
}

/**
 * Writes settings in their order. The kernel checks some against each other (limit and swap,
 * quota and period): a refused one is tried again after the others.
 */
export function writeSettings(settings: readonly Setting[], target: Target): void {
  const formers: Former[] = [];
  try {
    let pending = settings;
    while (pending.length > 0) {
      const refused = pending.flatMap((setting) => attempt(setting, target, formers));
      const [first] = refused;
      if (first !== undefined && refused.length === pending.length) throw first.error;
      pending = refused.map(({ setting }) => setting);
    }
  } catch (error) {
    restore(formers);
    throw error;
  }
}

interface Refusal {
  readonly setting: Setting;
  readonly error: unknown;
}

/** Returns the refusal, if another attempt may help. */
function attempt(setting: Setting, target: Target, formers: Former[]): Refusal[] {
  try {
    writeSetting(setting, target, formers);
    return [];
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== EINVAL && errno !== EBUSY && errno !== ENOSPC) throw error;
    return [{ setting, error }];
  }
}

function writeSetting(setting: Setting, target: Target, formers: Former[]): void {
  const directory = target.directoryOf(setting);
  const { explain } = target;
  for (const { file, value } of setting.forms) {
    const path = `${directory}/${file}`;
    const former = target.keepFormer ? readFile(path) : undefined;
    try {
      writeFile(path, value, setting.configPath, (errno) => explain(setting, directory, errno));
    } catch (error) {
      if (errnoOf(error) === ENOENT) continue;
      throw error;
    }
    if (former !== undefined) formers.push({ file: path, value: formerValue(former, setting) });
    return;
  }
  if (!setting.optional) throw missing(setting, directory);
}

function missing(setting: Setting, directory: string): RuntsError {
  const [{ file, value }] = setting.forms;
  if (setting.controller === "hugetlb") return noSuchPages(setting, directory);
  return new RuntsError(`write ${quote(value)} to ${quote(`${directory}/${file}`)}`, {
    configPath: setting.configPath,
    errno: ENOENT,
    hint: "this kernel does not have the feature, or has it switched off",
  });
}

/** A size of huge pages that the kernel does not have. */
function noSuchPages({ configPath, forms: [{ file }] }: Setting, directory: string): RuntsError {
  const [, size = ""] = file.split(".");
  const sizes = namesIn(directory).flatMap((name) =>
    /^hugetlb\.([^.]+)\.(?:max|limit_in_bytes)$/.exec(name)?.slice(1) ?? []
  );
  return new RuntsError(`limit huge pages of ${quote(size)}`, {
    configPath,
    cause: "the kernel has none of this size",
    ...(sizes.length > 0 && { hint: `it has ${sizes.sort().map(quote).join(" and ")}` }),
  });
}

function namesIn(directory: string): string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => name);
  } catch {
    return [];
  }
}

/** The text that brings a file back to what was read from it. */
export function formerValue(text: string, { line, forms: [{ file }] }: Setting): string {
  if (line !== undefined) {
    const found = text.split("\n").find((entry) => entry.startsWith(`${line.key} `));
    return found ?? line.absent;
  }
  if (file === "memory.oom_control") return /^oom_kill_disable 1$/m.test(text) ? "1" : "0";
  // A write of no bytes is no write at all.
  return text === "" ? "\n" : text;
}

/** Newest first, and again as long as that gets further. */
function restore(formers: readonly Former[]): void {
  let pending = formers.toReversed();
  for (let last = Infinity; pending.length > 0 && pending.length < last;) {
    last = pending.length;
    pending = pending.filter(({ file, value }) => {
      try {
        writeFile(file, value);
        return false;
      } catch {
        return true;
      }
    });
  }
}

/** Whether a number asks for something: absent and 0 leave the kernel's value alone. */
export function asked(value: Wide | undefined): value is Wide {
  return value !== undefined && BigInt(value) !== 0n;
}

/** The error for what this kind of cgroup cannot express. */
export function impossible(configPath: string, cause: string, hint?: string): RuntsError {
  return new RuntsError("cannot be set", { configPath, cause, ...(hint && { hint }) });
}
