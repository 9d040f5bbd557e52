/** The codec by tables against @bufbuild/protobuf, which makes its own of the same tables. */

import { assertEquals, assertThrows } from "@std/assert";
import { create, createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { isRuntsError } from "../../../lib/base/errors.ts";
import { EBADMSG } from "../../../lib/base/errno.ts";
import {
  decodeMessage,
  type Encodable,
  encodeMessage,
  type Message,
} from "../../../lib/wire/protobuf.ts";
import { CALLS, EVENTS, FORWARD } from "../../../lib/shim/messages.ts";

const INNER = { text: [1, "string"], number: [2, "int32"] } as const satisfies Message;
const ALL = {
  text: [1, "string"],
  blob: [2, "bytes"],
  yes: [3, "bool"],
  small: [4, "int32"],
  whole: [5, "uint32"],
  large: [6, "int64"],
  larger: [7, "uint64"],
  real: [8, "double"],
  inner: [9, INNER],
  texts: [10, "string", "repeated"],
  inners: [11, INNER, "repeated"],
  wholes: [12, "uint64", "repeated"],
  pairs: [1000, "map"],
} as const satisfies Message;

const TYPES: Readonly<Record<string, Type>> = {
  string: Type.STRING,
  bytes: Type.BYTES,
  bool: Type.BOOL,
  int32: Type.INT32,
  uint32: Type.UINT32,
  int64: Type.INT64,
  uint64: Type.UINT64,
  double: Type.DOUBLE,
};

/** The same table as a descriptor of the library's. */
function schemaOf(message: Message) {
  const messages: unknown[] = [];
  const add = (name: string, fields: Message, map = false) => {
    const field = Object.entries(fields).map(([field, [number, kind, repeated]]) => {
      const within = `${name}_${field}`;
      if (kind === "map") add(within, { key: [1, "string"], value: [2, "string"] });
      else if (typeof kind !== "string") add(within, kind);
      return {
        name: field,
        number,
        label: repeated || kind === "map" ? Label.REPEATED : Label.OPTIONAL,
        type: typeof kind === "string" && kind !== "map" ? TYPES[kind]! : Type.MESSAGE,
        ...((kind === "map" || typeof kind !== "string") && { typeName: `.t.${within}` }),
      };
    });
    messages.push({ name, field, options: { mapEntry: map } });
  };
  add("M", message);
  const file = create(FileDescriptorProtoSchema, {
    name: "t.proto",
    package: "t",
    syntax: "proto3",
    messageType: messages as never,
  });
  return createFileRegistry(file, () => undefined).getMessage("t.M")!;
}

const FULL = {
  text: "à propos",
  blob: new Uint8Array([0, 255, 1]),
  yes: true,
  small: -5,
  whole: 0xffffffff,
  large: -(2n ** 63n),
  larger: 2n ** 64n - 1n,
  real: -0.5,
  inner: { text: "x", number: 2147483647 },
  texts: ["", "a", "b".repeat(300)],
  inners: [{ text: "", number: 0 }, { text: "y", number: -1 }],
  wholes: [0n, 1n, 2n ** 53n + 1n],
};

Deno.test("the library reads what is written, and the other way round", () => {
  const schema = schemaOf(ALL);
  const read = fromBinary(schema, encodeMessage(ALL, FULL)) as unknown as typeof FULL;
  for (
    const name of ["text", "blob", "yes", "small", "whole", "large", "larger", "real"] as const
  ) {
    assertEquals(read[name], FULL[name], name);
  }
  assertEquals(read.texts, FULL.texts);
  assertEquals(read.wholes, FULL.wholes);
  assertEquals(read.inner.number, FULL.inner.number);
  const theirs = toBinary(schema, create(schema, FULL as never));
  assertEquals(decodeMessage(ALL, theirs), { ...FULL, pairs: {} });
  assertEquals(decodeMessage(ALL, encodeMessage(ALL, FULL)), { ...FULL, pairs: {} });
});

Deno.test("what is absent is empty, and what is empty is not written", () => {
  const empty = {
    text: "",
    blob: new Uint8Array(),
    yes: false,
    small: 0,
    whole: 0,
    large: 0n,
    larger: 0n,
    real: 0,
    texts: [],
    inners: [],
    wholes: [],
    pairs: {},
  };
  assertEquals(decodeMessage(ALL, new Uint8Array()), { ...empty, inner: undefined });
  assertEquals(encodeMessage(ALL, empty).length, 0);
  assertEquals(toBinary(schemaOf(ALL), create(schemaOf(ALL), {})).length, 0);
});

Deno.test("a map is one of strings", () => {
  const bytes = encodeMessage(ALL, { pairs: { a: "1", "": "" } });
  assertEquals(decodeMessage(ALL, bytes).pairs, { a: "1", "": "" });
});

Deno.test("what is not in the table is skipped", () => {
  const bytes = encodeMessage(ALL, FULL);
  assertEquals(decodeMessage({ whole: [5, "uint32"] }, bytes), { whole: 0xffffffff });
});

Deno.test("what is cut, or written in another way than the table has it, is refused", () => {
  const bytes = encodeMessage(ALL, FULL);
  const refused = (message: Message, bytes: Uint8Array) => {
    const error = assertThrows(() => decodeMessage(message, bytes));
    assertEquals(isRuntsError(error) && error.data.errno, EBADMSG);
  };
  let cuts = 0;
  for (let length = 1; length < bytes.length; length++) {
    try {
      decodeMessage(ALL, bytes.subarray(0, length));
    } catch (error) {
      assertEquals(isRuntsError(error) && error.data.errno, EBADMSG);
      cuts++;
    }
  }
  assertEquals(cuts > bytes.length / 2, true);
  refused({ text: [1, "int32"] }, encodeMessage({ text: [1, "string"] }, { text: "x" }));
  refused({}, new Uint8Array([0x0b]));
  refused({}, new Uint8Array(11).fill(0xff));
});

Deno.test("each message of the task service is to the library what it is here", () => {
  const tables: Message[] = [
    ...Object.values(CALLS).flat(),
    ...Object.values(EVENTS).map(([, , message]) => message),
    FORWARD,
  ];
  for (const message of tables) {
    const value = sample(message);
    const schema = schemaOf(message);
    const theirs = toBinary(schema, fromBinary(schema, encodeMessage(message, value)));
    assertEquals(
      decodeMessage(message, theirs),
      decodeMessage(message, encodeMessage(message, value)),
    );
  }
});

/** Something in each field. */
function sample(message: Message): Encodable<Message> {
  return Object.fromEntries(
    Object.entries(message).filter(([, [, kind]]) => kind !== "map").map(
      ([name, [number, kind, repeated]]) => {
        const one = typeof kind === "string" ? SAMPLES[kind] : sample(kind);
        return [name, repeated ? [one, one] : one ?? number];
      },
    ),
  ) as Encodable<Message>;
}

const SAMPLES: Readonly<Record<string, string | number | bigint | boolean | Uint8Array>> = {
  string: "text",
  bytes: new Uint8Array([1, 2]),
  bool: true,
  int32: 7,
  uint32: 4_000_000_000,
  int64: -9n,
  uint64: 2n ** 60n,
  double: 1.5,
};
