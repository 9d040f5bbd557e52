/** Paths that a caller or a configuration names. */

import { RuntsError } from "./errors.ts";
import { normalize, pathFrom } from "./paths.ts";

/** A path of the caller's, from its working directory; "." and ".." may be left in it. */
export function fromWorkingDirectory(path: string): string {
  if (path.startsWith("/")) return path;
  try {
    return pathFrom(Deno.cwd(), path);
  } catch (cause) {
    throw new RuntsError("find the working directory", { cause, hint: "it may be gone" });
  }
}

/** A path of the caller's, from its working directory, without "." and "..". */
export function absolute(path: string): string {
  const whole = fromWorkingDirectory(path);
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
