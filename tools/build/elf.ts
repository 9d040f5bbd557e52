/**
 * Reads just enough of a 64-bit little-endian ELF executable to add a segment to it and to give
 * it a fixed address: elf(5), and the psABI supplements of x86_64 and aarch64.
 */

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_NOTE = 4;
const PT_GNU_STACK = 0x6474e551;
const PF_READ_EXECUTE = 5;
const ET_EXEC = 2;
const ET_DYN = 3;
const SYMBOL_SIZE = 24;
const RELA_SIZE = 24;
/** R_X86_64_GLOB_DAT and R_AARCH64_GLOB_DAT: the word receives the address of a symbol. */
const GLOB_DAT: Record<number, number> = { 62: 6, 183: 1025 };
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
    const header = this.#headers.find((header) => header.type === PT_DYNAMIC);
    if (header === undefined) throw new Error("the executable is linked statically");
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

  /**
   * Address of the word in which ld.so stores the address of the imported data symbol `name`.
   * Throws when the executable does not import it.
   */
  slotOf(name: string): bigint {
    const symbols = this.offsetOf(this.dynamicEntry(DT.SYMTAB).value);
    const strings = this.offsetOf(this.dynamicEntry(DT.STRTAB).value);
    for (const { address, type, symbol } of this.relocations(DT.RELA, DT.RELASZ)) {
      if (type !== GLOB_DAT[this.machine]) continue;
      const at = this.#view.getUint32(symbols + symbol * SYMBOL_SIZE, true);
      if (this.#string(strings + at) === name) return address;
    }
    throw new Error(`the executable does not import "${name}"`);
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
    const size = this.#view.getUint16(54, true);
    return Array.from({ length: this.#view.getUint16(56, true) }, (_, i) => {
      const at = start + i * size;
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

  #loads(): ProgramHeader[] {
    return this.#headers.filter((header) => header.type === PT_LOAD);
  }

  #string(at: number): string {
    return new TextDecoder().decode(this.bytes.subarray(at, this.bytes.indexOf(0, at)));
  }
}
