/**
 * Reads just enough of a 64-bit little-endian ELF executable to add a segment to it, to give
 * it a fixed address and to take its interpreter away: elf(5), and the psABI supplements of x86_64 and aarch64.
 */

const PT_NULL = 0;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const PT_NOTE = 4;
const PT_PHDR = 6;
const PT_GNU_STACK = 0x6474e551;
const PF_READ_EXECUTE = 5;
const ET_EXEC = 2;
const ET_DYN = 3;
const RELA_SIZE = 24;
/** Bytes of an entry of the table of segments. */
export const PROGRAM_HEADER_SIZE = 56;
/** The largest page size of the supported processors; segments start at multiples of it. */
const PAGE = 65536n;

/** Tags of the dynamic section. */
export const DT = {
  STRTAB: 5n,
  SYMTAB: 6n,
  RELA: 7n,
  RELASZ: 8n,
  PLTRELSZ: 2n,
  JMPREL: 23n,
  RELR: 36n,
  GNU_HASH: 0x6ffffef5n,
  RELACOUNT: 0x6ffffff9n,
  FLAGS_1: 0x6ffffffbn,
} as const;

interface ProgramHeader {
  /** Where the header itself stands in the file. */
  at: number;
  type: number;
  offset: bigint;
  address: bigint;
  fileSize: bigint;
  memorySize: bigint;
}

/** An entry of the dynamic section. */
export interface DynamicEntry {
  /** Where its value stands in the file. */
  at: number;
  tag: bigint;
  value: bigint;
}

/** A relocation with an addend. */
interface Relocation {
  /** Where it stands in the file: three words. */
  at: number;
  address: bigint;
  type: number;
  symbol: number;
  addend: bigint;
}

/** A segment's place: offset in the file and address, in bytes. */
interface Place {
  offset: bigint;
  address: bigint;
}

/** Rounds up to the boundary that a segment may start at. */
export function alignToPage(value: bigint): bigint {
  return (value + PAGE - 1n) / PAGE * PAGE;
}

/** An executable held in memory whose headers can be edited. */
export class Elf {
  readonly #view: DataView;

  /** Throws when `bytes` is not a position-independent ELF64 executable in little-endian order. */
  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isElf64 = bytes.length > 64 && this.#view.getUint32(0) === 0x7f454c46 && bytes[4] === 2;
    if (!isElf64 || bytes[5] !== 1 || this.#view.getUint16(16, true) !== ET_DYN) {
      throw new Error("not a position-independent 64-bit little-endian ELF executable");
    }
  }

  /** `e_machine`: 62 is x86_64, 183 is aarch64. */
  get machine(): number {
    return this.#view.getUint16(18, true);
  }

  /** Address of the first instruction. */
  get entry(): bigint {
    return this.word(24);
  }

  /** The 64-bit word at a file offset. */
  word(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  setWord(at: number, value: bigint): void {
    this.#view.setBigUint64(at, value, true);
  }

  /** File offset of an address. Throws when no segment of the file holds it. */
  offsetOf(address: bigint): number {
    for (const load of this.#loads()) {
      const distance = address - load.address;
      if (distance >= 0n && distance < load.fileSize) return Number(load.offset + distance);
    }
    throw new Error(`address 0x${address.toString(16)} is in no segment`);
  }

  dynamic(): DynamicEntry[] {
    const header = this.#header(PT_DYNAMIC);
    const entries: DynamicEntry[] = [];
    const end = Number(header.offset + header.fileSize);
    for (let at = Number(header.offset); at < end && this.word(at) !== 0n; at += 16) {
      entries.push({ at: at + 8, tag: this.word(at), value: this.word(at + 8) });
    }
    return entries;
  }

  /** An entry that must be there. */
  dynamicEntry(tag: bigint): DynamicEntry {
    const found = this.dynamic().find((entry) => entry.tag === tag);
    if (found === undefined) throw new Error(`no entry ${tag} in the dynamic section`);
    return found;
  }

  /** The relocations of the tables at `table`, whose size in bytes is at `size`. */
  relocations(table: bigint, size: bigint): Relocation[] {
    const start = this.offsetOf(this.dynamicEntry(table).value);
    const count = Number(this.dynamicEntry(size).value) / RELA_SIZE;
    return Array.from({ length: count }, (_, i) => {
      const at = start + i * RELA_SIZE;
      const type = this.#view.getUint32(at + 8, true);
      const symbol = this.#view.getUint32(at + 12, true);
      return { at, address: this.word(at), type, symbol, addend: this.word(at + 16) };
    });
  }

  /** Where a segment may go that starts at or after file offset `offset`. */
  placeFor(offset: bigint): Place {
    const ends = this.#loads().map((header) => header.address + header.memorySize);
    const highest = ends.reduce((a, b) => a > b ? a : b);
    return { offset: alignToPage(offset), address: alignToPage(highest) };
  }

  /** Turns the PT_NOTE header into that of a readable, executable segment, and enters there. */
  enterAt(place: Place, size: bigint): void {
    const note = this.#headers.findLast((header) => header.type === PT_NOTE);
    const lastLoad = this.#loads().at(-1);
    if (note === undefined) throw new Error("the executable has no PT_NOTE header to reuse");
    if (lastLoad === undefined || note.at < lastLoad.at) {
      // Loaders expect PT_LOAD headers in ascending order of address.
      throw new Error("the PT_NOTE header stands before the last PT_LOAD header");
    }
    this.#view.setUint32(note.at, PT_LOAD, true);
    this.#view.setUint32(note.at + 4, PF_READ_EXECUTE, true);
    const fields = [place.offset, place.address, place.address, size, size, PAGE];
    fields.forEach((value, i) => this.setWord(note.at + 8 + 8 * i, value));
    this.setWord(24, place.address);
  }

  /** Path of ld.so. */
  get interpreter(): string {
    const { offset, fileSize } = this.#header(PT_INTERP);
    const path = this.bytes.subarray(Number(offset), Number(offset + fileSize) - 1);
    return new TextDecoder().decode(path);
  }

  /** Bytes of the table of segments. */
  get headersLength(): number {
    return this.#headers.length * PROGRAM_HEADER_SIZE;
  }

  /**
   * From now on the kernel enters the executable without ld.so. Gives a table of segments for whoever
   * loads ld.so later, who puts it at `address`: ld.so insists on finding itself named there, and
   * computes from the place of the table how far the executable has been moved.
   */
  takeInterpreter(address: bigint): Uint8Array {
    const start = Number(this.word(32));
    const table = this.bytes.slice(start, start + this.headersLength);
    const own = new DataView(table.buffer, this.#header(PT_PHDR).at - start);
    own.setBigUint64(16, address, true);
    own.setBigUint64(24, address, true);
    this.#view.setUint32(this.#header(PT_INTERP).at, PT_NULL, true);
    return table;
  }

  /** Adds `base` to the addresses in the headers, which are then no longer relative. */
  fixHeaders(base: bigint): void {
    for (const { at, type, address } of this.#headers) {
      if (type === PT_GNU_STACK) continue;
      this.setWord(at + 16, address + base);
      this.setWord(at + 24, address + base);
    }
    this.setWord(24, this.entry + base);
    this.#view.setUint16(16, ET_EXEC, true);
  }

  get #headers(): ProgramHeader[] {
    const start = Number(this.word(32));
    return Array.from({ length: this.#view.getUint16(56, true) }, (_, i) => {
      const at = start + i * PROGRAM_HEADER_SIZE;
      return {
        at,
        type: this.#view.getUint32(at, true),
        offset: this.word(at + 8),
        address: this.word(at + 16),
        fileSize: this.word(at + 32),
        memorySize: this.word(at + 40),
      };
    });
  }

  /** The one of its type; the executable of Deno has it. */
  #header(type: number): ProgramHeader {
    const found = this.#headers.find((header) => header.type === type);
    if (found === undefined) throw new Error(`the executable has no segment of type ${type}`);
    return found;
  }

  #loads(): ProgramHeader[] {
    return this.#headers.filter((header) => header.type === PT_LOAD);
  }
}
