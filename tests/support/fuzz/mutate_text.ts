/** Mutations of plain text: the characters that programs stumble over, and cuts. */

import type { Random } from "./random.ts";

const PIECES = [
  ...[
    "\0",
    "\n",
    "\r\n",
    "\t",
    "\x1b[2J",
    "\x7f",
    "\u2028",
    "\ufeff",
    "\ufffd",
    "\u202e",
    "é",
    "𝒳",
  ],
  ...["\ud800", "\udc00", "/", "//", "/../", "/./", "..", ".", "-", "--", "=", ":", ",", ";", " "],
  ...["0", "9", "00", "1e9", "0x", '"', "'", "\\", "%s", "$", "*", "{", "}", "[", "]", "a", "Z"],
];

/** A changed text, perhaps the same. */
export function mutateText(random: Random, text: string): string {
  const [at, other] = [random.below(text.length + 1), random.below(text.length + 1)];
  const [from, to] = [Math.min(at, other), Math.max(at, other)];
  switch (random.below(10)) {
    case 0:
      return text.slice(0, from) + text.slice(to);
    case 1:
      return text.slice(0, to) + text.slice(from);
    case 2:
      return random.oneIn(2) ? text.toUpperCase() : text.toLowerCase();
    case 3:
      return random.oneIn(20) ? `${text}${"a".repeat(random.pick([255, 256, 4096, 70_000]))}` : "";
    case 4:
      return text.slice(0, at) + text.slice(at + 1);
    case 5:
      return text.slice(0, at) + random.pick(PIECES) + text.slice(at + 1);
    case 6:
      return text.replace(/\d+/, (digits) => String(BigInt(digits) + (random.oneIn(2) ? 1n : -1n)));
    default:
      return text.slice(0, at) + random.pick(PIECES) + text.slice(at);
  }
}
