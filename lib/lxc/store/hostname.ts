/** The host name that a root filesystem has written down. */

const DIRECTORY = "etc";
const FILE = "etc/hostname";

/**
 * Writes the name of a copy where the container has its own. Whoever had the container may have put anything
 * there: only a plain file in a plain directory is written to.
 */
export function writeHostName(
  { own, lower }: { readonly own: string; readonly lower: readonly string[] },
  name: string,
): void {
  const root = [own, ...lower].find((one) => entry(`${one}/${FILE}`) !== undefined);
  if (root === undefined || !isPlain(root)) return;
  if (root !== own) {
    const directory = entry(`${own}/${DIRECTORY}`);
    if (directory === undefined) makeLike(`${root}/${DIRECTORY}`, `${own}/${DIRECTORY}`);
    else if (!directory.isDirectory) return;
    copyLike(`${root}/${FILE}`, `${own}/${FILE}`);
  }
  Deno.writeTextFileSync(`${own}/${FILE}`, name, { create: false });
}

/** What is at a path, which is no link; undefined where nothing is. */
function entry(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

function isPlain(root: string): boolean {
  const file = entry(`${root}/${FILE}`);
  return entry(`${root}/${DIRECTORY}`)?.isDirectory === true && file?.isFile === true &&
    file.nlink === 1;
}

function makeLike(like: string, path: string): void {
  Deno.mkdirSync(path);
  giveLike(like, path);
}

function copyLike(like: string, path: string): void {
  Deno.writeTextFileSync(path, "", { createNew: true });
  giveLike(like, path);
}

function giveLike(like: string, path: string): void {
  const { mode, uid, gid } = Deno.lstatSync(like);
  Deno.chownSync(path, uid, gid);
  Deno.chmodSync(path, mode! & 0o7777);
}
