/**
 * Protocol buffers (https://protobuf.dev/programming-guides/encoding/) by tables: a message is a table of
 * its fields, from which its type follows. What is not in the table is skipped.
 */

import { EBADMSG } from "../base/errno.ts";
import { RuntsError } from "../base/errors.ts";

/** What a field holds. An enumeration is an int32. */
type Scalar = "string" | "bytes" | "bool" | "int32" | "uint32" | "int64" | "uint64" | "double";
type Kind = Scalar | Message;
/**
 * Its number, what it holds, and whether there may be several; a map is one of strings. `explicit`: it is
 * written where it is given, whatever its value, as proto2 has it.
 */
type Field =
  | readonly [number: number, kind: Kind]
  | readonly [number: number, kind: Kind, "repeated"]
  | readonly [number: number, kind: Scalar, "explicit"]
  | readonly [number: number, kind: "map"];

/** Fields by name. */
export interface Message {
  readonly [name: string]: Field;
}

type Single<K> = K extends "string" ? string
  : K extends "bytes" ? Uint8Array
  : K extends "bool" ? boolean
  : K extends "int64" | "uint64" ? bigint
  : K extends Scalar ? number
  : K extends Message ? Decoded<K>
  : never;
type Value<F> = F extends readonly [number, "map"] ? Readonly<Record<string, string>>
  : F extends readonly [number, infer K, "repeated"] ? readonly Single<K>[]
  : F extends readonly [number, infer K, "explicit"] ? Single<K>
  : F extends readonly [number, infer K] ? K extends Message ? Single<K> | undefined : Single<K>
  : never;
type Given<F> = F extends readonly [number, infer K extends Message, "repeated"]
  ? readonly Encodable<K>[]
  : F extends readonly [number, infer K extends Message] ? Encodable<K>
  : Value<F>;

/** A message as it was read: what was absent is 0, empty or false; a message within is undefined then. */
export type Decoded<M extends Message> = { readonly [N in keyof M]: Value<M[N]> };
/** A message that is to be written: all is optional. */
export type Encodable<M extends Message> = { readonly [N in keyof M]?: Given<M[N]> | undefined };

/** How the value of a field is written. */
const Wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const MAP_ENTRY = { key: [1, "string"], value: [2, "string"] } as const satisfies Message;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes a message. A value that is the default of its kind is left out, as proto3 has it, unless `explicit`. */
export function encodeMessage<M extends Message>(
  message: M,
  value: Encodable<M>,
): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  writeMessage(writer, message, value as Record<string, unknown>);
  return writer.bytes();
}

/** Reads a message. EBADMSG for what is none. */
export function decodeMessage<M extends Message>(message: M, bytes: Uint8Array): Decoded<M> {
  return readMessage(new Reader(bytes), message) as Decoded<M>;
}

class Writer {
  #bytes = new Uint8Array(new ArrayBuffer(256));
  #length = 0;

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  /** Of at most 32 bits. */
  varint(value: number): void {
    for (; value > 0x7f; value >>>= 7) this.byte((value & 0x7f) | 0x80);
    this.byte(value);
  }

  /** Of 64 bits; a negative one as its complement. */
  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest));
  }

  raw(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  #grow(least: number): void {
    const larger = new Uint8Array(new ArrayBuffer(2 * this.#bytes.length + least));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

function writeMessage(writer: Writer, message: Message, values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values)) {
    const field = message[name];
    if (field === undefined || value === undefined) continue;
    const [number, kind, presence] = field;
    if (kind === "map") {
      for (const [key, text] of Object.entries(value as Record<string, string>)) {
        writeValue(writer, number, MAP_ENTRY, { key, value: text });
      }
    } else if (presence === "repeated") {
      for (const one of value as unknown[]) writeValue(writer, number, kind, one);
    } else if (typeof kind !== "string" || presence === "explicit" || !isDefault(value)) {
      writeValue(writer, number, kind, value);
    }
  }
}

function isDefault(value: unknown): boolean {
  return !value || (value instanceof Uint8Array && value.length === 0);
}

function writeValue(writer: Writer, number: number, kind: Kind, value: unknown): void {
  if (typeof kind !== "string") {
    writer.varint(number << 3 | Wire.bytes);
    const inner = new Writer();
    writeMessage(inner, kind, value as Record<string, unknown>);
    writer.block(inner.bytes());
    return;
  }
  switch (kind) {
    case "string":
    case "bytes":
      writer.varint(number << 3 | Wire.bytes);
      writer.block(kind === "string" ? encoder.encode(value as string) : value as Uint8Array);
      break;
    case "double": {
      writer.varint(number << 3 | Wire.fixed64);
      const bytes = new DataView(new ArrayBuffer(8));
      bytes.setFloat64(0, value as number, true);
      writer.raw(new Uint8Array(bytes.buffer));
      break;
    }
    case "int64":
    case "uint64":
      writer.varint(number << 3);
      writer.varint64(value as bigint);
      break;
    default: {
      writer.varint(number << 3);
      const whole = Number(value);
      if (whole < 0) writer.varint64(BigInt(whole));
      else writer.varint(whole);
    }
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.end;
  }

  /** The lower 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw malformed();
  }

  varint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed();
  }

  double(): number {
    const at = this.#take(8);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true);
  }

  bytes(): Uint8Array {
    const length = this.varint();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  within(): Reader {
    const length = this.varint();
    const at = this.#take(length);
    return new Reader(this.#bytes, at, at + length);
  }

  skip(wire: number): void {
    if (wire === Wire.varint) this.varint();
    else if (wire === Wire.bytes) this.#take(this.varint());
    else if (wire === Wire.fixed64) this.#take(8);
    else if (wire === Wire.fixed32) this.#take(4);
    else throw malformed();
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.end) throw malformed();
    this.#at += length;
    return at;
  }
}

function malformed(): RuntsError {
  return new RuntsError("read a message of protocol buffers", { errno: EBADMSG });
}

/** Names and fields by number. */
function fieldsOf(message: Message): Map<number, readonly [name: string, field: Field]> {
  return new Map(Object.entries(message).map(([name, field]) => [field[0], [name, field]]));
}

function readMessage(reader: Reader, message: Message): Record<string, unknown> {
  const values = defaultsOf(message);
  const fields = fieldsOf(message);
  while (!reader.isAtEnd) {
    const key = reader.varint();
    const [name, field] = fields.get(key >>> 3) ?? [];
    if (name === undefined || field === undefined) reader.skip(key & 7);
    else readField(reader, key & 7, field, values, name);
  }
  return values;
}

function defaultsOf(message: Message): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, [, kind, presence]] of Object.entries(message)) {
    if (kind === "map") values[name] = {};
    else values[name] = presence === "repeated" ? [] : defaultOf(kind);
  }
  return values;
}

function defaultOf(kind: Kind): unknown {
  if (typeof kind !== "string") return undefined;
  if (kind === "string") return "";
  if (kind === "bool") return false;
  if (kind === "bytes") return new Uint8Array();
  return kind === "int64" || kind === "uint64" ? 0n : 0;
}

function wireOf(kind: Kind): number {
  if (typeof kind !== "string" || kind === "string" || kind === "bytes") return Wire.bytes;
  return kind === "double" ? Wire.fixed64 : Wire.varint;
}

function readField(
  reader: Reader,
  wire: number,
  [, kind, presence]: Field,
  values: Record<string, unknown>,
  name: string,
): void {
  const repeated = presence === "repeated";
  if (kind === "map") {
    if (wire !== Wire.bytes) throw malformed();
    const { key, value } = readMessage(reader.within(), MAP_ENTRY);
    (values[name] as Record<string, unknown>)[key as string] = value;
  } else if (repeated && wire === Wire.bytes && wireOf(kind) !== Wire.bytes) {
    const packed = reader.within();
    while (!packed.isAtEnd) (values[name] as unknown[]).push(readValue(packed, kind));
  } else {
    if (wire !== wireOf(kind)) throw malformed();
    const value = readValue(reader, kind);
    if (repeated) (values[name] as unknown[]).push(value);
    else values[name] = value;
  }
}

function readValue(reader: Reader, kind: Kind): unknown {
  if (typeof kind !== "string") return readMessage(reader.within(), kind);
  switch (kind) {
    case "string":
      return decoder.decode(reader.bytes());
    case "bytes":
      return reader.bytes();
    case "bool":
      return reader.varint64() !== 0n;
    case "double":
      return reader.double();
    case "int64":
      return BigInt.asIntN(64, reader.varint64());
    case "uint64":
      return reader.varint64();
    default:
      return kind === "int32" ? reader.varint() | 0 : reader.varint();
  }
}
