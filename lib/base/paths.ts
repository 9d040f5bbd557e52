/** Paths, as text. */

/** `a/./b//c/..` → `/a/b`; `..` does not lead above the start. "" for the root. */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.map((part) => `/${part}`).join("");
}

/** Whether a path is that of a directory or of something in it. Both are clean: "/a/b", or "/". */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

/** An absolute path as it is, another one below `base`, which may end in a slash. */
export function pathFrom(base: string, path: string): string {
  return path.startsWith("/") ? path : `${base.endsWith("/") ? base.slice(0, -1) : base}/${path}`;
}

/** As {@linkcode pathFrom}, without "." and empty parts, and no slash at its end. */
export function cleanPathFrom(base: string, path: string): string {
  const joined = pathFrom(base, path);
  // Nearly every path is clean, and compiling an expression takes longer than all of them.
  if (!joined.includes("//") && !joined.includes("/.") && !joined.endsWith("/")) return joined;
  return joined.replace(/\/(?:\.?\/)+/g, "/").replace(/\/\.?$/, "") || "/";
}
