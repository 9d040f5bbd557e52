/**
 * Standard streams that lead outside: what they were is in the image (`descriptors.json`, as runc and crun
 * have it), and whoever restores it puts his own in their place.
 */

import { quote, reason, RuntsError } from "../base/errors.ts";
import { readFile, readLink } from "../base/files.ts";
import { readMountinfo } from "../base/mountinfo.ts";
import { O_PATH } from "../base/linux.ts";

/** Beside the images. */
const FILE = "descriptors.json";

/** What runs out of an image finds on 0, 1 and 2 again what is there then. */
interface Streams {
  /** What descriptors 0, 1 and 2 were: a name, or what criu calls it. */
  readonly names: readonly string[];
  /** What criu must not look into. */
  readonly external: readonly string[];
}

/**
 * The streams of a program.
 *
 * @param recorded where they led when it was started
 */
export function outerStreams(pid: number, recorded: readonly string[]): Streams {
  const inside = new Set(readMountinfo(`/proc/${pid}`).map(({ id }) => id));
  const external: string[] = [];
  const names = recorded.map((name, fd) => {
    const outer = outerFile(pid, fd, inside);
    if (outer === undefined) return name;
    external.push(outer);
    return outer;
  });
  return { names, external: [...new Set(external)] };
}

/** A file, fifo or terminal of the host, in criu's words; undefined for everything else. */
function outerFile(pid: number, fd: number, inside: ReadonlySet<number>): string | undefined {
  const info = readFile(`/proc/${pid}/fdinfo/${fd}`) ?? "";
  const mount = Number(/^mnt_id:\s*(\d+)$/m.exec(info)?.[1]);
  if (!(mount > 0) || inside.has(mount) || (flagsOf(info) & O_PATH) !== 0) return undefined;
  try {
    const path = `/proc/${pid}/fd/${fd}`;
    const { isFile, isFifo, isCharDevice, ino, rdev, dev } = Deno.statSync(path);
    // A pipe is a fifo without a path.
    if (isFile || isFifo && readLink(path)?.startsWith("/")) {
      return `file[${mount.toString(16)}:${ino?.toString(16)}]`;
    }
    return isCharDevice && isTerminal(rdev) ? `tty[${hex(rdev)}:${hex(dev)}]` : undefined;
  } catch {
    return undefined; // a pipe, or it is gone
  }
}

function flagsOf(info: string): number {
  return parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? "0", 8);
}

/** The ends of pseudoterminals have majors 136 to 143. */
function isTerminal(rdev: number | null): boolean {
  const major = ((rdev ?? 0) >> 8) & 0xfff;
  return major >= 136 && major <= 143;
}

function hex(value: number | null): string {
  return (value ?? 0).toString(16);
}

/** Writes down what they were. */
export function writeStreams(imagePath: string, names: readonly string[]): void {
  try {
    Deno.writeTextFileSync(`${imagePath}/${FILE}`, JSON.stringify(names), { mode: 0o600 });
  } catch (cause) {
    throw new RuntsError(`write ${quote(`${imagePath}/${FILE}`)}`, { cause });
  }
}

/** Which descriptors of criu's take the place of which streams. */
export function streamsToInherit(imagePath: string): { key: string; fd: number }[] {
  return readStreams(imagePath).flatMap((key, fd) =>
    /^(?:pipe:|file\[|tty\[)/.test(key) ? [{ key, fd }] : []
  );
}

function readStreams(imagePath: string): string[] {
  const path = `${imagePath}/${FILE}`;
  let cause: string;
  try {
    const names: unknown = JSON.parse(Deno.readTextFileSync(path));
    if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
    cause = "it is no list of names";
  } catch (error) {
    cause = reason(error);
  }
  throw new RuntsError(`read ${quote(path)}`, {
    cause,
    hint: "a checkpoint that was made to the end has this file",
  });
}
