/** Paths that a caller names. */

import { RuntsError } from "../errors.ts";

/** A path of the caller's, from its working directory; "." and ".." may be left in it. */
export function fromWorkingDirectory(path: string): string {
  if (path.startsWith("/")) return path;
  try {
    return `${Deno.cwd()}/${path}`;
  } catch (cause) {
    throw new RuntsError("find the working directory", { cause, hint: "it may be gone" });
  }
}

/** A path of the caller's, from its working directory, without "." and "..". */
export function absolute(path: string): string {
  const whole = fromWorkingDirectory(path);
  const match = /^(.*\/\.\.)(\/.*)?$/.exec(whole);
  return (match ? realPath(match[1]!) + normalized(match[2] ?? "") : normalized(whole)) || "/";
}

/** What a path that ends in ".." stands for: behind a link it is not what its text says. */
function realPath(path: string): string {
  try {
    return normalized(Deno.realPathSync(path));
  } catch {
    return normalized(path); // whoever uses it will fail, and name it
  }
}

/** "" for the root. */
function normalized(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.map((part) => `/${part}`).join("");
}
