/** Operations → bytes, in the form that lib/wire/ops.ts states at its end. */

import { encodeText } from "../base/bytes.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { BUILD_ID_LENGTH, type FieldType, type Op, OPS, PLAN_MAGIC, PLAN_MAX } from "./ops.ts";

const UTF8 = new TextEncoder();
const ASCII_MAX = 0x7f;

/**
 * The plan on the wire, for init of this build. RuntsError for a text that holds a NUL, and for a
 * plan beyond PLAN_MAX.
 */
export function encodePlan(ops: readonly Op[], buildId: string): Uint8Array {
  const writer = new Writer();
  writer.u32(PLAN_MAGIC);
  for (let at = 0; at < BUILD_ID_LENGTH; at++) writer.u8(buildId.charCodeAt(at));
  const length = writer.at;
  writer.u32(0);
  writer.u32(ops.length);
  for (const op of ops) writeOp(writer, op);
  writer.patch(length, writer.at);
  if (writer.at > PLAN_MAX) {
    throw new RuntsError(`a plan of ${writer.at} bytes exceeds ${PLAN_MAX}`);
  }
  return writer.bytes.subarray(0, writer.at);
}

/** The fields of each operation in their order. */
const FIELDS: ReadonlyMap<string, readonly (readonly [name: string, type: FieldType])[]> = new Map(
  Object.entries(OPS).map(([name, { fields }]) => [name, Object.entries<FieldType>(fields)]),
);

function writeOp(writer: Writer, op: Op): void {
  writer.u32(OPS[op.op].code);
  const start = writer.at;
  writer.u32(0);
  const values = op as unknown as Record<string, unknown>;
  for (const [name, type] of FIELDS.get(op.op)!) {
    if (!writeField(writer, type, values[name])) {
      throw new RuntsError(`${op.op}: ${name} ${quote(values[name])} holds a NUL character`, {
        configPath: op.from,
      });
    }
  }
  writer.patch(start, writer.at - start - 4);
}

/** False for a text that init would cut short. */
function writeField(writer: Writer, type: FieldType, value: unknown): boolean {
  switch (type) {
    case "str":
      return writer.text(value as string);
    case "strs":
      writer.u32((value as readonly string[]).length);
      return (value as readonly string[]).every((item) => writer.text(item));
    case "u32":
    case "i32":
      writer.u32(value as number);
      return true;
    case "u64":
    case "i64":
      writer.u64(value as bigint | number);
      return true;
    case "u32s":
      writer.u32((value as readonly number[]).length);
      for (const item of value as readonly number[]) writer.u32(item);
      return true;
    case "bytes":
      writer.raw(value as Uint8Array);
      return true;
  }
}

/** A buffer that grows; numbers are little-endian. */
class Writer {
  bytes = new Uint8Array(16 * 1024);
  at = 0;
  #view = new DataView(this.bytes.buffer);

  u8(value: number): void {
    this.#reserve(1);
    this.#view.setUint8(this.at++, value);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }

  u64(value: bigint | number): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.at, BigInt.asUintN(64, BigInt(value)), true);
    this.at += 8;
  }

  text(value: string): boolean {
    this.#reserve(value.length * 3 + 5);
    const start = this.at + 4;
    const written = this.#encode(value, start);
    this.#view.setUint32(this.at, written, true);
    this.at = start + written;
    this.bytes[this.at++] = 0;
    return !value.includes("\0");
  }

  /** Nearly all texts are short, and of ASCII: a call of TextEncoder costs more than all of their characters. */
  #encode(value: string, start: number): number {
    const { length } = value;
    const { bytes } = this;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > ASCII_MAX) return this.#encodeAny(value, start);
      bytes[start + i] = code;
    }
    return length;
  }

  #encodeAny(value: string, start: number): number {
    if (value.isWellFormed()) return UTF8.encodeInto(value, this.bytes.subarray(start)).written;
    const encoded = encodeText(value);
    this.bytes.set(encoded, start);
    return encoded.length;
  }

  raw(value: Uint8Array): void {
    this.u32(value.length);
    this.#reserve(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  patch(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  #reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + size));
    grown.set(this.bytes);
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
