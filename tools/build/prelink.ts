/**
 * Gives a position-independent executable a fixed address and applies its relative relocations
 * beforehand, as prelink(8) does. `deno` has 159,000 of them: at each start ld.so would write to
 * 770 pages that are otherwise shared with the page cache, 3 of 14 ms. What it costs is the random
 * address of the executable itself; libraries, stack and heaps keep theirs.
 */

import { DT, type DynamicEntry, type Elf } from "./elf.ts";

/** Far from where the kernel puts anything else, within 39 bits of address space. */
export const BASE = 0x2_0000_0000n;

const SYMBOL_SIZE = 24;
/** Kinds of symbols and sections in a symbol's entry: elf(5). */
const STT_TLS = 6;
const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;
const DF_1_PIE = 0x08000000n;

/** Types of relocations by processor. */
interface Types {
  relative: number;
  /** Filled in by ld.so from a symbol or from nothing but the place: only the place moves. */
  placed: number[];
}

const TYPES: Record<number, Types> = {
  // 64, GLOB_DAT, JUMP_SLOT, DTPMOD64, DTPOFF64, TPOFF64
  62: { relative: 8, placed: [1, 6, 7, 16, 17, 18] },
  // ABS64, GLOB_DAT, JUMP_SLOT, TLS_DTPMOD, TLS_DTPREL, TLS_TPREL, TLSDESC
  183: { relative: 1027, placed: [257, 1025, 1026, 1028, 1029, 1030, 1031] },
};

/** Entries of the dynamic section whose value is an address (DT_PLTGOT, DT_HASH, …, DT_VERNEED). */
const ADDRESSES = new Set([
  ...[3n, 4n, 5n, 6n, 7n, 12n, 13n, 23n, 25n, 26n, 32n],
  ...[0x6ffffef5n, 0x6ffffff0n, 0x6ffffffcn, 0x6ffffffen],
]);

/** Number of dynamic symbols, from the last chain of the GNU hash table. */
function countSymbols(elf: Elf): number {
  const view = new DataView(elf.bytes.buffer, elf.bytes.byteOffset);
  const at = elf.offsetOf(elf.dynamicEntry(DT.GNU_HASH).value);
  const read = (offset: number) => view.getUint32(offset, true);
  const [bucketCount, first, bloomSize] = [read(at), read(at + 4), read(at + 8)];
  const buckets = at + 16 + bloomSize * 8;
  const chains = buckets + bucketCount * 4;
  let last = 0;
  for (let i = 0; i < bucketCount; i++) last = Math.max(last, read(buckets + i * 4));
  if (last === 0) return first;
  while ((read(chains + (last - first) * 4) & 1) === 0) last++;
  return last + 1;
}

/** Moves the symbols that the executable itself defines. */
function moveSymbols(elf: Elf, base: bigint): void {
  const view = new DataView(elf.bytes.buffer, elf.bytes.byteOffset);
  const table = elf.offsetOf(elf.dynamicEntry(DT.SYMTAB).value);
  for (let i = 0; i < countSymbols(elf); i++) {
    const at = table + i * SYMBOL_SIZE;
    const section = view.getUint16(at + 6, true);
    const isTls = (view.getUint8(at + 4) & 15) === STT_TLS;
    if (section === SHN_UNDEF || section === SHN_ABS || isTls) continue;
    elf.setWord(at + 8, elf.word(at + 8) + base);
  }
}

/** Applies the relative relocations, which must stand first, and moves the others. */
function relocate(elf: Elf, types: Types, base: bigint): void {
  const all = elf.relocations(DT.RELA, DT.RELASZ);
  const relativeCount = Number(elf.dynamicEntry(DT.RELACOUNT).value);
  all.forEach(({ at, address, type, addend }, i) => {
    if ((type === types.relative) !== (i < relativeCount)) {
      throw new Error("the relative relocations do not stand first");
    }
    if (type === types.relative) elf.setWord(elf.offsetOf(address), addend + base);
    else if (types.placed.includes(type)) elf.setWord(at, address + base);
    else throw new Error(`no idea what a relocation of type ${type} needs`);
  });
  const hasPlt = elf.dynamic().some(({ tag }) => tag === DT.JMPREL);
  for (const { at, address } of hasPlt ? elf.relocations(DT.JMPREL, DT.PLTRELSZ) : []) {
    elf.setWord(at, address + base);
  }
}

/** Takes the relative relocations off the table. */
function dropRelative(elf: Elf): void {
  const count = elf.dynamicEntry(DT.RELACOUNT);
  const bytes = count.value * 24n;
  const change = ({ at, value }: DynamicEntry, by: bigint) => elf.setWord(at, value + by);
  change(elf.dynamicEntry(DT.RELA), bytes);
  change(elf.dynamicEntry(DT.RELASZ), -bytes);
  change(count, -count.value);
}

/**
 * Edits the executable in place.
 *
 * Throws when it has what this does not know; it is then in an undefined state.
 */
export function prelink(elf: Elf, base = BASE): void {
  const types = TYPES[elf.machine];
  if (types === undefined) throw new Error(`no idea of the processor ${elf.machine}`);
  if (elf.dynamic().some(({ tag }) => tag === DT.RELR)) {
    throw new Error("the executable has packed relocations");
  }
  relocate(elf, types, base);
  moveSymbols(elf, base);
  dropRelative(elf);
  const entries = elf.dynamic();
  for (const { at, tag, value } of entries) {
    if (ADDRESSES.has(tag)) elf.setWord(at, value + base);
    if (tag === DT.FLAGS_1) elf.setWord(at, value & ~DF_1_PIE);
  }
  elf.fixHeaders(base);
}
