/** Lists of CPUs and of memory nodes, as the kernel writes them: `0-2,5` (cpuset(7), "List format"). */

/** No kernel has a CPU or a node of this number (NR_CPUS is 8192 at most). */
const LIMIT = 1_000_000;

/** `0-2,5` as 0, 1, 2, 5. A range that goes up to numbers that nothing has is left out. */
export function parseList(text: string): number[] {
  return text.split(",").filter((part) => part.trim() !== "").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return last < LIMIT ? Array.from({ length: last - first + 1 }, (_, n) => first + n) : [];
  });
}

/** The bits of a list, lowest first, in whole bytes; empty for an empty list. */
export function numberMask(list: string): Uint8Array<ArrayBuffer> {
  const numbers = parseList(list);
  const highest = numbers.reduce((top, number) => Math.max(top, number), -1);
  const mask = new Uint8Array(Math.ceil((highest + 1) / 8));
  for (const number of numbers) mask[number >> 3]! |= 1 << (number & 7);
  return mask;
}
