/** Lists of numbers as the kernel takes them. */

/** The bits of a list as `0-3,7`, lowest first, in whole bytes; empty for an empty list. */
export function numberMask(list: string): Uint8Array {
  const ranges = list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map((text) => text.trim());
    return first ? [[Number(first), Number(last)] as const] : [];
  });
  const highest = ranges.reduce((top, [, last]) => Math.max(top, last), -1);
  const mask = new Uint8Array(Math.ceil((highest + 1) / 8));
  for (const [first, last] of ranges) {
    for (let bit = first; bit <= last; bit++) mask[bit >> 3]! |= 1 << (bit & 7);
  }
  return mask;
}
