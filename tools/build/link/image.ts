/**
 * Lays out the linked executable:
 *
 *     deno | texts of the verbs and their chunks, assets | stub, its link_data, main script, library
 *
 * The last part is a segment that the kernel maps; the middle is read on demand.
 */

import { alignToPage, Elf } from "../elf.ts";
import { prelink } from "../prelink.ts";

/** Order of the fields of `struct link_data` in stub.h; all are 64 bits wide. */
const LINK_DATA_FIELDS = 11;

/** What the stub does with the command line and the environment. */
export interface Launch {
  /** Replaces argv[0]; the path of the script follows. */
  argv: string[];
  /** The same where there is a code cache. */
  cachedArgv: string[];
  /** Path of the code cache below the state root; "" for none. */
  cacheName: string;
  /** Put first in the environment; the first entry only where the stack needs padding. */
  environment: string[];
  /** Prefixes of the variables that Deno must not see. */
  drop: string[];
}

/** What the stub puts into files in memory. */
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

/** The mapped segment. `entry` and `slot` are distances from its first byte. */
function segment(
  stub: Uint8Array,
  launch: Launch,
  { script, library }: Loaded,
  entry: bigint,
  slot: bigint,
): Uint8Array {
  const layout = new Layout(LINK_DATA_FIELDS * 8);
  const argv = layout.add(encodeWords(launch.argv))[0];
  const cachedArgv = layout.add(encodeWords(launch.cachedArgv))[0];
  const cacheName = layout.add(encodeWords([launch.cacheName]))[0];
  const environment = layout.add(encodeWords(launch.environment))[0];
  const drop = layout.add(encodeWords(launch.drop))[0];
  const [scriptAt, scriptLength] = layout.add(script);
  const [libraryAt, libraryLength] = layout.add(library);
  const start = BigInt(stub.length);
  const files = [scriptAt, scriptLength, libraryAt, libraryLength];
  const own = [...files, argv, cachedArgv, cacheName, environment, drop];
  const fields = [entry - start, slot - start, ...own];
  const bytes = new Uint8Array(stub.length + layout.end);
  bytes.set(stub);
  const view = new DataView(bytes.buffer, stub.length);
  fields.forEach((value, i) => view.setBigInt64(i * 8, BigInt(value), true));
  let at = stub.length + LINK_DATA_FIELDS * 8;
  for (const piece of layout.pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
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
  stub: Uint8Array,
  launch: Launch,
  loaded: Loaded,
): Promise<void> {
  const elf = new Elf(deno);
  prelink(elf);
  const place = elf.placeFor(BigInt(layout.end));
  const entry = elf.entry - place.address;
  const slot = elf.slotOf("environ") - place.address;
  const mapped = segment(stub, launch, loaded, entry, slot);
  elf.enterAt(place, BigInt(mapped.length));
  const gap = new Uint8Array(Number(alignToPage(BigInt(layout.end))) - layout.end);
  const temporary = `${path}.new`;
  using file = await Deno.open(temporary, { write: true, create: true, truncate: true });
  for (const piece of [deno, ...layout.pieces, gap, mapped]) {
    await writeAll(file, piece);
  }
  await Deno.chmod(temporary, 0o755);
  await Deno.rename(temporary, path);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) written += await file.write(bytes.subarray(written));
}
