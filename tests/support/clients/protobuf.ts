/**
 * Protocol buffers, as far as the CRI needs them: integers, booleans, strings, bytes, messages, lists
 * and maps of strings (https://protobuf.dev/programming-guides/encoding).
 */

/** A type of values, and how they travel: wire type 0 is a varint, 2 has its length in front. */
export interface Type<T> {
  readonly wire: 0 | 2;
  /** What a field that did not travel means. */
  readonly absent: T | undefined;
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** One field of a message. */
interface Field<T> {
  readonly number: number;
  readonly absent: T | undefined;
  encode(value: T): Uint8Array[];
  /** The value once more bytes of this field have come. */
  add(value: T | undefined, bytes: Uint8Array): T;
}

// deno-lint-ignore no-explicit-any -- a field of whatever type
type Fields = Readonly<Record<string, Field<any>>>;

/** The values of a message; a decoded one has all of its numbers, strings and lists. */
type Values<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Field<infer T> ? T : never;
};

type Message<F extends Fields> = Type<Values<F>>;

/** The values that a message type stands for. */
export type Of<M> = M extends Type<infer T> ? T : never;

export const integer: Type<number> = {
  wire: 0,
  absent: 0,
  encode: (value) => varint(BigInt(value)),
  decode: (bytes) => Number(BigInt.asIntN(64, number(bytes))),
};

export const boolean: Type<boolean> = {
  wire: 0,
  absent: false,
  encode: (value) => varint(value ? 1n : 0n),
  decode: (bytes) => number(bytes) !== 0n,
};

export const string: Type<string> = {
  wire: 2,
  absent: "",
  encode: (value) => new TextEncoder().encode(value),
  decode: (bytes) => new TextDecoder().decode(bytes),
};

/** A message of fields by their names. Fields that are not among them are passed over. */
export function message<F extends Fields>(fields: F): Message<F> {
  const byNumber = new Map(Object.entries(fields).map(([name, it]) => [it.number, name]));
  return {
    wire: 2,
    absent: undefined,
    encode: (values) =>
      joined(
        Object.entries(values).filter(([, value]) => value !== undefined)
          .flatMap(([name, value]) => fields[name]!.encode(value)),
      ),
    decode(bytes) {
      const values: Record<string, unknown> = {};
      for (const [name, { absent }] of Object.entries(fields)) {
        if (absent !== undefined) values[name] = absent;
      }
      for (const [key, part] of parts(bytes)) {
        const name = byNumber.get(key);
        if (name !== undefined) values[name] = fields[name]!.add(values[name], part);
      }
      return values as Values<F>;
    },
  };
}

/** A field with one value. */
export function one<T>(number: number, type: Type<T>): Field<T> {
  return {
    number,
    absent: type.absent,
    encode: (value) => [travelling(number, type, value)],
    add: (_, bytes) => type.decode(bytes),
  };
}

/** A repeated field. */
export function list<T>(number: number, type: Type<T>): Field<readonly T[]> {
  return {
    number,
    absent: [],
    encode: (values) => values.map((value) => travelling(number, type, value)),
    add: (values, bytes) => [...values ?? [], type.decode(bytes)],
  };
}

const entry = message({ key: one(1, string), value: one(2, string) });

/** A map from strings to strings. */
export function map(number: number): Field<Readonly<Record<string, string>>> {
  return {
    number,
    absent: {},
    encode: (values) =>
      Object.entries(values).map(([key, value]) => travelling(number, entry, { key, value })),
    add(values, bytes) {
      const { key, value } = entry.decode(bytes);
      return { ...values, [key!]: value! };
    },
  };
}

function travelling<T>(field: number, type: Type<T>, value: T): Uint8Array {
  const bytes = type.encode(value);
  const tag = varint(BigInt(field << 3 | type.wire));
  return joined(type.wire === 0 ? [tag, bytes] : [tag, varint(BigInt(bytes.length)), bytes]);
}

/** The fields of an encoded message: number and bytes. */
function* parts(bytes: Uint8Array): Generator<[number, Uint8Array]> {
  let at = 0;
  const take = () => {
    const start = at;
    while (bytes[at]! & 0x80) at++;
    return bytes.subarray(start, ++at);
  };
  while (at < bytes.length) {
    const tag = Number(number(take()));
    const wire = tag & 7;
    if (wire === 0) yield [tag >> 3, take()];
    else if (wire === 2) {
      const length = Number(number(take()));
      yield [tag >> 3, bytes.subarray(at, at += length)];
    } else throw new Error(`field ${tag >> 3} has wire type ${wire}`);
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(rest));
}

function number(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum << 7n | BigInt(byte & 0x7f), 0n);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
