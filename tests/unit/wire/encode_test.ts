import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RuntsError } from "../../../lib/base/errors.ts";
import { encodePlan } from "../../../lib/wire/encode.ts";
import {
  CreateKind,
  type FieldType,
  MountFlag,
  MountKind,
  type Op,
  OPS,
} from "../../../lib/wire/ops.ts";
import * as ops from "../../../lib/wire/ops.ts";
import { Message, RECORD_MAX } from "../../../lib/wire/messages.ts";
import { BUILD_ID, decodePlan, planOf } from "../../support/plan.ts";

const LETTERS: Record<FieldType, string> = {
  str: "s",
  strs: "S",
  u32: "u",
  i32: "i",
  u64: "U",
  i64: "I",
  u32s: "V",
  bytes: "b",
};

function header(name: string): string {
  return Deno.readTextFileSync(new URL(`../../../c/include/${name}`, import.meta.url));
}

/** `NAME = value` or `NAME` of an enum, as numbers. */
function enumOf(text: string, name: string): Record<string, number> {
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(text)![1]!;
  let next = 0;
  return Object.fromEntries(
    body.split(",").map((item) => item.trim()).filter((item) => item !== "").map((item) => {
      const [key, value] = item.split("=").map((part) => part.trim());
      const number = value === undefined ? next : Number(value);
      next = number + 1;
      return [key, number];
    }),
  );
}

/** The keys of an object of ours as C has them: `destNofollow` is MOUNT_DEST_NOFOLLOW. */
function asC(prefix: string, values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      `${prefix}_${key.replace(/[A-Z]/g, "_$&").toUpperCase()}`,
      value,
    ]),
  );
}

Deno.test("OPS is the table of c/include/ops.h", () => {
  const rows = [...header("ops.h").matchAll(/^ {2}X\((\w+), (\d+), "(\w*)"\)/gm)]
    .map(([, name, code, fields]) => `${name} ${code} ${fields}`);
  const ours = Object.entries(OPS).map(([name, { code, fields }]) => {
    const letters = Object.values(fields as Record<string, FieldType>).map((type) => LETTERS[type]);
    return `${name} ${code} ${letters.join("")}`;
  });
  assertEquals(ours.toSorted(), rows.toSorted());
});

Deno.test("limits and kinds are those of c/include/ops.h", () => {
  const text = header("ops.h");
  const defined = (name: string) => {
    const value = new RegExp(`#define ${name} (.*?)u?(?: /\\*.*)?$`, "m").exec(text)![1]!;
    return value.replace(/[()u]/g, "").split("*").reduce((all, part) => all * Number(part), 1);
  };
  assertEquals(defined("PLAN_MAGIC"), ops.PLAN_MAGIC);
  assertEquals(defined("BUILD_ID_LENGTH"), ops.BUILD_ID_LENGTH);
  assertEquals(defined("PLAN_MAX"), ops.PLAN_MAX);
  assertEquals(defined("SLOTS_MAX"), ops.SLOTS_MAX);
  assertEquals(enumOf(text, "mount_kind"), asC("MOUNT", MountKind));
  assertEquals(enumOf(text, "create_kind"), asC("CREATE", CreateKind));
  assertEquals(enumOf(text, "mount_flag"), asC("MOUNT", MountFlag));
  assertEquals(enumOf(text, "tree_extent"), asC("TREE", ops.TreeExtent));
  assertEquals(enumOf(text, "root_bind"), asC("ROOT", ops.RootBind));
  assertEquals(enumOf(text, "enter_method"), asC("ENTER", ops.EnterMethod));
  assertEquals(enumOf(text, "node_source"), asC("NODE", ops.NodeSource));
});

Deno.test("the messages are those of c/include/sync.h", () => {
  const text = header("sync.h");
  assertEquals(enumOf(text, "sync_message"), asC("SYNC", Message));
  assertEquals(/SYNC_RECORD_MAX \((\d+)u \* (\d+)\)/.exec(text)?.slice(1).map(Number), [64, 1024]);
  assertEquals(RECORD_MAX, 64 * 1024);
});

const TEXT = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
const U32 = fc.integer({ min: 0, max: 0xffffffff });
const FIELDS: Record<FieldType, fc.Arbitrary<unknown>> = {
  str: TEXT,
  strs: fc.array(TEXT),
  u32: U32,
  i32: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  u64: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
  i64: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  u32s: fc.array(U32),
  bytes: fc.uint8Array({ maxLength: 64 }),
};
const OP = fc.oneof(
  ...Object.entries(OPS).map(([op, { fields }]) =>
    fc.record({
      op: fc.constant(op),
      from: fc.constant(""),
      ...Object.fromEntries(
        Object.entries(fields as Record<string, FieldType>).map(([k, type]) => [k, FIELDS[type]]),
      ),
    })
  ),
) as unknown as fc.Arbitrary<Op>;

Deno.test("encodePlan: what is decoded is what was encoded", () => {
  fc.assert(fc.property(fc.array(OP, { maxLength: 30 }), (plan) => {
    assertEquals(decodePlan(encodePlan(plan, BUILD_ID)), plan);
  }));
});

Deno.test("encodePlan writes numbers as 64-bit values where the field is one", () => {
  const op = {
    op: "rlimit",
    from: "",
    resource: 7,
    soft: 2 ** 53 - 1,
    hard: 1n,
    raise: 0,
  } as const;
  const home = { op: "exec", from: "", args: [], env: [], home: -1, self_pid: 0 } as const;
  assertEquals(decodePlan(encodePlan([op, home], BUILD_ID)), [
    { ...op, soft: 9007199254740991n },
    { ...home, home: -1n },
  ]);
});

Deno.test("encodePlan grows its buffer", () => {
  const filter = new Uint8Array(100_000).fill(7);
  const path = "ä".repeat(50_000);
  const plan: Op[] = [
    { op: "seccomp", from: "", flags: 0, filter, notify: 0 },
    { op: "readonly", from: "", path },
  ];
  assertEquals(decodePlan(encodePlan(plan, BUILD_ID)), plan);
});

Deno.test("encodePlan refuses what init would cut short", () => {
  const error = assertThrows(
    () =>
      encodePlan([
        { op: "hostname", from: "hostname", name: "a\0b" },
      ], BUILD_ID),
    RuntsError,
  );
  assertEquals(error.message, 'hostname: hostname: name "a\\u0000b" holds a NUL character');
  const env = assertThrows(
    () =>
      encodePlan([
        { op: "exec", from: "process.args", args: ["a"], env: ["A=\0"], home: -1, self_pid: 0 },
      ], BUILD_ID),
    RuntsError,
  );
  assertEquals(env.message, 'process.args: exec: env ["A=\\u0000"] holds a NUL character');
});

Deno.test("encodePlan refuses a plan that init would not take", () => {
  const path = "a".repeat(5 * 1024 * 1024);
  const ops = Array.from({ length: 13 }, () => ({ op: "readonly", from: "", path } as const));
  const error = assertThrows(() => encodePlan(ops, BUILD_ID), RuntsError);
  assertEquals(error.message, "a plan of 68157653 bytes exceeds 67108864");
});

Deno.test("encodePlan encodes the plan of the template", () => {
  const { ops } = planOf();
  const decoded = decodePlan(encodePlan(ops, BUILD_ID));
  assertEquals(decoded.map(({ op }) => op), ops.map(({ op }) => op));
});
