/**
 * Lays out the linked executable:
 *
 *     deno | texts of the verbs and their chunks, assets | front, its link_data, program headers for ld.so,
 *         main script, library
 *
 * The last part is a segment that the kernel maps and enters; the middle is read on demand.
 */

import { alignToPage, Elf, PROGRAM_HEADER_SIZE } from "../elf.ts";
import { prelink } from "../prelink.ts";

/** Order of the fields of `struct link_data` in c/front/link_data.h; all are 64 bits wide. */
const LINK_DATA_FIELDS = 17;

/** What the front does with the command line and the environment. */
export interface Launch {
  /** Replaces argv[0]; the path of the script follows. */
  argv: string[];
  /** The same where there is a code cache. */
  cachedArgv: string[];
  /** The same for a process that stays. */
  residentArgv: string[];
  residentCachedArgv: string[];
  /** Path of the code cache below the state root; "" for none. */
  cacheName: string;
  residentCacheName: string;
  /** Put first in the environment; the first entry only where the stack needs padding. */
  environment: string[];
  /** 32 characters: records of another one are not for this front. */
  frontId: string;
  /** Prefixes of the variables that Deno must not see. */
  drop: string[];
}

/** What the front puts into files in memory. */
interface Loaded {
  script: Uint8Array;
  library: Uint8Array;
}

/** Collects pieces that follow each other in the executable. */
export class Layout {
  readonly pieces: Uint8Array[] = [];
  #end: number;

  /** @param start offset of the first piece in the executable, in bytes */
  constructor(start: number) {
    this.#end = start;
  }

  /** Offset behind the last piece. */
  get end(): number {
    return this.#end;
  }

  add(piece: Uint8Array): [offset: number, length: number] {
    const span: [number, number] = [this.#end, piece.length];
    this.pieces.push(piece);
    this.#end += piece.length;
    return span;
  }
}

/** Words that each end in NUL, then an empty one. */
function encodeWords(words: string[]): Uint8Array {
  return new TextEncoder().encode(words.map((word) => `${word}\0`).join("") + "\0");
}

/** The mapped segment, and where in it the program headers for ld.so go. */
interface Segment {
  bytes: Uint8Array;
  headersAt: number;
}

/** `entry` is a distance from its first byte. */
function segment(
  front: Uint8Array,
  launch: Launch,
  loaded: Loaded,
  elf: Elf,
  entry: bigint,
): Segment {
  const layout = new Layout(LINK_DATA_FIELDS * 8);
  const [headers, headersLength] = layout.add(new Uint8Array(elf.headersLength));
  const interpreter = layout.add(encodeWords([elf.interpreter]))[0];
  const words = [
    launch.argv,
    launch.cachedArgv,
    launch.residentArgv,
    launch.residentCachedArgv,
    [launch.cacheName],
    [launch.residentCacheName],
    launch.environment,
    [launch.frontId],
    launch.drop,
  ].map((list) => layout.add(encodeWords(list))[0]);
  // Last: what the front looks at before it starts Deno is in the pages that it is in itself.
  const files = [loaded.script, loaded.library].flatMap((bytes) => layout.add(bytes));
  const count = headersLength / PROGRAM_HEADER_SIZE;
  const fields = [entry - BigInt(front.length), headers, count, interpreter, ...files, ...words];
  const bytes = new Uint8Array(front.length + layout.end);
  bytes.set(front);
  const view = new DataView(bytes.buffer, front.length);
  fields.forEach((value, i) => view.setBigInt64(i * 8, BigInt(value), true));
  let at = front.length + LINK_DATA_FIELDS * 8;
  for (const piece of layout.pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, headersAt: front.length + headers };
}

/**
 * Writes the executable to `path`.
 *
 * @param deno the executable that Deno itself is; edited in place
 * @param layout what stands between it and the segment
 */
export async function writeImage(
  path: string,
  deno: Uint8Array,
  layout: Layout,
  front: Uint8Array,
  launch: Launch,
  loaded: Loaded,
): Promise<void> {
  const elf = new Elf(deno);
  prelink(elf);
  const place = elf.placeFor(BigInt(layout.end));
  const { bytes, headersAt } = segment(front, launch, loaded, elf, elf.entry - place.address);
  elf.enterAt(place, BigInt(bytes.length));
  bytes.set(elf.takeInterpreter(place.address + BigInt(headersAt)), headersAt);
  const gap = new Uint8Array(Number(alignToPage(BigInt(layout.end))) - layout.end);
  const temporary = `${path}.new`;
  using file = await Deno.open(temporary, { write: true, create: true, truncate: true });
  for (const piece of [deno, ...layout.pieces, gap, bytes]) {
    await writeAll(file, piece);
  }
  await Deno.chmod(temporary, 0o755);
  await Deno.rename(temporary, path);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await file.write(bytes.subarray(written));
}
