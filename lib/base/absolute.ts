/** Paths that a caller or a configuration names. */

import type { Caller } from "./caller.ts";
import { quote, RuntsError } from "./errors.ts";
import { isWithin, normalize, pathFrom } from "./paths.ts";

/** Where the working directory can be had whose path is no UTF-8. */
function here({ proc }: Caller): string {
  return `${proc}/cwd`;
}

/**
 * A path of the caller's, from its working directory; "." and ".." may be left in it. Deno opens it,
 * or it is written down as JSON: it must be UTF-8.
 */
export function fromWorkingDirectory(caller: Caller, path: string): string {
  let whole = reachable(caller, path);
  if (whole !== path && whole.startsWith(`${here(caller)}/`)) whole = realPath(whole);
  if (whole.isWellFormed() && (whole === path || !whole.startsWith(here(caller)))) return whole;
  const isHere = whole.isWellFormed();
  throw new RuntsError(`use ${isHere ? "the working directory" : quote(path)}`, {
    cause: new Error("its path is not UTF-8"),
    hint: isHere ? "name an absolute path" : "name it by a symlink",
  });
}

/** The same of a path that need not be written down. */
function reachable(caller: Caller, path: string): string {
  if (path.startsWith("/")) return path;
  try {
    return pathFrom(caller.workingDirectory(), path);
  } catch (cause) {
    if (cause instanceof Deno.errors.InvalidData) return `${here(caller)}/${path}`;
    throw new RuntsError("find the working directory", { cause, hint: "it may be gone" });
  }
}

/** Whether Deno can open an absolute path by its name. */
export function isNamed(caller: Caller, path: string): boolean {
  return path.isWellFormed() && !isWithin(path, here(caller));
}

/** A path of the caller's, from its working directory, without "." and "..". */
export function absolute(caller: Caller, path: string): string {
  return clean(fromWorkingDirectory(caller, path));
}

/** A path that is used and not written down: it may hold any bytes (lib/base/bytes.ts). */
export function absoluteBytes(caller: Caller, path: string): string {
  const whole = reachable(caller, path);
  return whole.isWellFormed() ? clean(whole) : whole;
}

function clean(whole: string): string {
  const match = /^(.*\/\.\.)(\/.*)?$/.exec(whole);
  return (match ? realPath(match[1]!) + normalize(match[2] ?? "") : normalize(whole)) || "/";
}

/** What a path that ends in ".." stands for: behind a link it is not what its text says. */
function realPath(path: string): string {
  try {
    return normalize(Deno.realPathSync(path));
  } catch {
    return normalize(path); // whoever uses it will fail, and name it
  }
}

/** The root filesystem's path; the status has it as config.json does. */
export function absoluteRootfs(bundle: string, rootfs: string): string {
  return rootfs === "" ? "" : pathFrom(bundle, rootfs);
}
