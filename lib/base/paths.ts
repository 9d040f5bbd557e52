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
