/**
 * Reads just enough of a 64-bit little-endian ELF executable to add a segment to it: elf(5), and
 * the psABI supplements of x86_64 and aarch64.
 */

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_NOTE = 4;
const PF_READ_EXECUTE = 5;
const DT_STRTAB = 5n;
const DT_SYMTAB = 6n;
const DT_RELA = 7n;
const DT_RELASZ = 8n;
const RELA_SIZE = 24n;
const SYMBOL_SIZE = 24n;
/** R_X86_64_GLOB_DAT and R_AARCH64_GLOB_DAT: the word receives the address of a symbol. */
const GLOB_DAT: Record<number, number> = { 62: 6, 183: 1025 };
/** The largest page size of the supported processors; segments start at multiples of it. */
const PAGE = 65536n;

interface ProgramHeader {
  /** Where the header itself stands in the file. */
  at: number;
  type: number;
  offset: bigint;
  address: bigint;
  fileSize: bigint;
  memorySize: bigint;
}

/** A segment's place: offset in the file and address relative to the load base, in bytes. */
export interface Place {
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
    if (!isElf64 || bytes[5] !== 1 || this.#view.getUint16(16, true) !== 3) {
      throw new Error("not a position-independent 64-bit little-endian ELF executable");
    }
  }

  /** `e_machine`: 62 is x86_64, 183 is aarch64. */
  get machine(): number {
    return this.#view.getUint16(18, true);
  }

  /** Address of the first instruction, relative to the load base. */
  get entry(): bigint {
    return this.#word(24);
  }

  /**
   * Address, relative to the load base, of the word in which ld.so stores the address of the
   * imported data symbol `name`. Throws when the executable does not import it.
   */
  slotOf(name: string): bigint {
    const dynamic = this.#dynamicTable();
    const get = (tag: bigint): bigint => {
      const value = dynamic.get(tag);
      if (value === undefined) throw new Error(`no entry ${tag} in the dynamic section`);
      return value;
    };
    const relocations = this.#offsetOf(get(DT_RELA));
    const symbols = this.#offsetOf(get(DT_SYMTAB));
    const strings = this.#offsetOf(get(DT_STRTAB));
    const wanted = GLOB_DAT[this.machine];
    for (let i = 0n; i < get(DT_RELASZ) / RELA_SIZE; i++) {
      const at = Number(relocations + i * RELA_SIZE);
      const info = this.#word(at + 8);
      if (Number(info & 0xffffffffn) !== wanted) continue;
      const symbol = Number(symbols + (info >> 32n) * SYMBOL_SIZE);
      const nameOffset = strings + BigInt(this.#view.getUint32(symbol, true));
      if (this.#string(Number(nameOffset)) === name) return this.#word(at);
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
    fields.forEach((value, i) => this.#view.setBigUint64(note.at + 8 + 8 * i, value, true));
    this.#view.setBigUint64(24, place.address, true);
  }

  get #headers(): ProgramHeader[] {
    const start = Number(this.#word(32));
    const size = this.#view.getUint16(54, true);
    const count = this.#view.getUint16(56, true);
    return Array.from({ length: count }, (_, i) => {
      const at = start + i * size;
      return {
        at,
        type: this.#view.getUint32(at, true),
        offset: this.#word(at + 8),
        address: this.#word(at + 16),
        fileSize: this.#word(at + 32),
        memorySize: this.#word(at + 40),
      };
    });
  }

  #loads(): ProgramHeader[] {
    return this.#headers.filter((header) => header.type === PT_LOAD);
  }

  #dynamicTable(): Map<bigint, bigint> {
    const header = this.#headers.find((header) => header.type === PT_DYNAMIC);
    if (header === undefined) throw new Error("the executable is linked statically");
    const table = new Map<bigint, bigint>();
    const end = Number(header.offset + header.fileSize);
    for (let at = Number(header.offset); at < end; at += 16) {
      table.set(this.#word(at), this.#word(at + 8));
    }
    return table;
  }

  /** File offset of an address. */
  #offsetOf(address: bigint): bigint {
    for (const load of this.#loads()) {
      const distance = address - load.address;
      if (distance >= 0n && distance < load.fileSize) return load.offset + distance;
    }
    throw new Error(`address 0x${address.toString(16)} is in no segment`);
  }

  #word(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  #string(at: number): string {
    return new TextDecoder().decode(this.bytes.subarray(at, this.bytes.indexOf(0, at)));
  }
}
