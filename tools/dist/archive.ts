/** Archives whose bytes depend on nothing but the files. */

import { join, relative } from "@std/path";
import { run } from "../support/run.ts";

/** Gives everything below a directory one time, in seconds since 1970, and modes that do not depend on the umask. */
export async function setTimes(directory: string, time: number): Promise<void> {
  for await (const { name, isDirectory, isSymlink, isFile } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isDirectory) await setTimes(path, time);
    else if (isFile) {
      const { mode } = await Deno.stat(path);
      await Deno.chmod(path, (mode ?? 0) & 0o111 ? 0o755 : 0o644);
    }
    if (!isSymlink) await Deno.utime(path, time, time);
    else await run("touch", ["--no-dereference", `--date=@${time}`, path]);
  }
  await Deno.chmod(directory, 0o755);
  await Deno.utime(directory, time, time);
}

/** Packs a directory, which is called `name` inside. */
export async function tarGz(directory: string, file: string, name: string): Promise<void> {
  const owner = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--format=gnu"];
  const tar = `${file}.tar`;
  await run("tar", [
    ...owner,
    `--transform=flags=r;s,^\\.,${name},`,
    ...["-C", directory, "-cf", tar, "."],
  ]);
  // Without the name and the time of what was packed.
  await run("gzip", ["-n", "-6", tar]);
  await Deno.rename(`${tar}.gz`, file);
}

/** Where the sums are. */
export const SUMS = "SHA256SUMS";

/** Lines as those of sha256sum(1), of all files but theirs. */
export async function sums(directory: string): Promise<string> {
  const all = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  const names = all.filter((name) => name !== SUMS).sort();
  const lines = names.map(async (name) => `${await sha256(join(directory, name))}  ${name}\n`);
  return (await Promise.all(lines)).join("");
}

/** Lines as those of md5sums(5), of which dpkg checks what is installed. */
export async function md5Sums(root: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const lines = (await filesOf(root)).map(async (path) => {
    const sum = createHash("md5").update(await Deno.readFile(path)).digest("hex");
    return `${sum}  ${relative(root, path)}\n`;
  });
  return (await Promise.all(lines)).join("");
}

/** Plain files, sorted by their paths. */
async function filesOf(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isDirectory) found.push(...await filesOf(path));
    else if (isFile) found.push(path);
  }
  return found.sort();
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}
