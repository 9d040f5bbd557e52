/**
 * Bytes that are no UTF-8, in strings: what the kernel calls a path, an argument or a variable may hold any.
 * Each such byte is U+DC80 to U+DCFF, a surrogate that stands alone and so occurs in no other text.
 */

const LONE = 0xdc00;

/** Each takes long to be there: from their first use on. */
let decoder: TextDecoder | undefined;
let encoder: TextEncoder | undefined;

/** The text of bytes, of which none is lost. */
export function decodeBytes(bytes: Uint8Array): string {
  const strict = decoder ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const decoded = (part: Uint8Array) => {
    try {
      return strict.decode(part);
    } catch {
      return undefined;
    }
  };
  const whole = decoded(bytes);
  if (whole !== undefined) return whole;
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at]!);
    const character = decoded(bytes.subarray(at, at + length));
    text += character ?? String.fromCharCode(LONE + bytes[at]!);
    at += character === undefined ? 1 : length;
  }
  return text;
}

/** The text of a file of /proc, whose names may hold any bytes. */
export function readBytesText(file: string): string {
  const text = Deno.readTextFileSync(file);
  // A decoder takes long to be there, and what stands for such bytes may also have been there itself.
  return text.includes("\ufffd") ? decodeBytes(Deno.readFileSync(file)) : text;
}

/** How many bytes the character has that begins so. */
function sequenceLength(first: number): number {
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** The bytes that a text stands for. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  encoder ??= new TextEncoder();
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (isByte(code)) bytes.push(code - LONE);
    else bytes.push(...encoder.encode(character));
  }
  return new Uint8Array(bytes);
}

function isByte(code: number): boolean {
  return code >= LONE + 0x80 && code <= LONE + 0xff;
}
