/** Addresses of IPv4 and IPv6: text and bytes. */

/** The 4 or 16 bytes of an address that has been checked. */
export function ipBytes(text: string): Uint8Array {
  return text.includes(":") ? ipv6Bytes(text) : Uint8Array.from(text.split("."), Number);
}

function ipv6Bytes(text: string): Uint8Array {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain = dotted === null ? text : `${dotted[1]}${hex(dotted, 2)}:${hex(dotted, 4)}`;
  const [before = "", after] = plain.split("::");
  const groups = (part: string) => part === "" ? [] : part.split(":");
  const [first, last] = [groups(before), groups(after ?? "")];
  const zeros = new Array<string>(8 - first.length - last.length).fill("0");
  const all = after === undefined ? first : [...first, ...zeros, ...last];
  return Uint8Array.from(all.flatMap((group) => {
    const number = parseInt(group, 16);
    return [number >> 8, number & 0xff];
  }));
}

/** Two decimal numbers as four hexadecimal digits. */
function hex(parts: RegExpExecArray, at: number): string {
  return (Number(parts[at]) << 8 | Number(parts[at + 1])).toString(16);
}

/** The text of an address (RFC 5952). */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => bytes[2 * at]! << 8 | bytes[2 * at + 1]!);
  const { start, length } = longestZeros(groups);
  const texts = groups.map((group) => group.toString(16));
  if (length < 2) return texts.join(":");
  return `${texts.slice(0, start).join(":")}::${texts.slice(start + length).join(":")}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
