import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  Code,
  deviceProgram,
  encodeProgram,
  type Instruction,
} from "../../../lib/cgroup/devices/program.ts";
import {
  ALL_ACCESS,
  deviceRules,
  MKNOD,
  READ,
  type Rule,
  WRITE,
} from "../../../lib/cgroup/devices/rules.ts";
import { deviceState, deviceWrites, parseDevicesList } from "../../../lib/cgroup/devices/v1.ts";

const CONFIG = "linux.resources.";
const DENY_ALL: Rule = { allow: false, type: "a", major: -1, minor: -1, access: ALL_ACCESS };

function rule(allow: boolean, type: Rule["type"], major: number, minor: number, access = 7): Rule {
  return { allow, type, major, minor, access };
}

Deno.test("deviceRules: no type, no numbers and no access mean all", () => {
  assertEquals(deviceRules([{ allow: false, access: "rwm" }], CONFIG)[0], DENY_ALL);
  assertEquals(deviceRules([{ allow: false }], CONFIG)[0], DENY_ALL);
  assertEquals(deviceRules([{ allow: true, type: "c", major: 1, access: "rm" }], CONFIG)[0], {
    allow: true,
    type: "c",
    major: 1,
    minor: -1,
    access: READ | MKNOD,
  });
});

Deno.test("deviceRules: a stands for every access, as for every type", () => {
  for (const access of ["a", "ra", "rwma"]) {
    assertEquals(deviceRules([{ allow: false, type: "a", access }], CONFIG)[0], DENY_ALL);
  }
});

Deno.test("deviceRules refuses unknown letters and numbers, naming the rule", () => {
  assertThrows(
    () => deviceRules([{ allow: true }, { allow: true, access: "rx" }], CONFIG),
    Error,
    'linux.resources.devices[1].access: read device rule: "rx" has other letters than r, w, m and a',
  );
  assertThrows(
    () => deviceRules([{ allow: true, type: "c", major: 2 ** 20 }], CONFIG),
    Error,
    "linux.resources.devices[0]: read device rule: 1048576 is no device number",
  );
});

Deno.test("deviceProgram, instruction by instruction", () => {
  const program = deviceProgram([DENY_ALL, rule(true, "c", 1, 3), rule(false, "b", 8, -1, WRITE)]);
  const op = (code: number, dst: number, src: number, off: number, imm: number): Instruction => ({
    code,
    dst,
    src,
    off,
    imm,
  });
  assertEquals(program, [
    op(Code.LOAD32, 2, 1, 0, 0), //         r2 = access << 16 | type
    op(Code.MOVE_REG, 3, 2, 0, 0), //       r3 = r2
    op(Code.AND32, 2, 0, 0, 0xffff), //     r2 = type
    op(Code.SHIFT_RIGHT32, 3, 0, 0, 16), // r3 = access
    op(Code.LOAD32, 4, 1, 4, 0), //         r4 = major
    op(Code.LOAD32, 5, 1, 8, 0), //         r5 = minor
    op(Code.JUMP_NOT_EQUAL, 2, 0, 5, 1), // deny b 8:* w
    op(Code.JUMP_NOT_EQUAL, 4, 0, 4, 8),
    op(Code.JUMP_SET, 3, 0, 1, WRITE),
    op(Code.JUMP, 0, 0, 2, 0),
    op(Code.MOVE, 0, 0, 0, 0),
    op(Code.EXIT, 0, 0, 0, 0),
    op(Code.JUMP_NOT_EQUAL, 2, 0, 4, 2), // allow c 1:3 rwm
    op(Code.JUMP_NOT_EQUAL, 4, 0, 3, 1),
    op(Code.JUMP_NOT_EQUAL, 5, 0, 2, 3),
    op(Code.MOVE, 0, 0, 0, 1),
    op(Code.EXIT, 0, 0, 0, 0),
    op(Code.MOVE, 0, 0, 0, 0), //           deny a *:* rwm: nothing after it can be reached
    op(Code.EXIT, 0, 0, 0, 0),
  ]);
});

Deno.test("deviceProgram: an allowing rule for some access takes its bits", () => {
  const program = deviceProgram([rule(true, "a", -1, -1, READ)]).slice(6);
  assertEquals(program.map(({ code }) => code), [
    Code.AND32,
    Code.JUMP_NOT_EQUAL,
    Code.MOVE,
    Code.EXIT,
    Code.MOVE,
    Code.EXIT,
  ]);
  assertEquals(program[0]?.imm, MKNOD | WRITE);
});

Deno.test("encodeProgram writes 8 bytes an instruction", () => {
  const jump = { code: Code.JUMP_NOT_EQUAL, dst: 4, src: 0, off: -2, imm: 0x01020304 };
  const load = { code: Code.LOAD32, dst: 2, src: 1, off: 8, imm: -1 };
  assertEquals([...encodeProgram([jump, load])], [
    ...[0x55, 0x04, 0xfe, 0xff, 4, 3, 2, 1],
    ...[0x61, 0x12, 8, 0, 0xff, 0xff, 0xff, 0xff],
  ]);
});

/** Executes a program as the kernel would. */
function execute(
  program: readonly Instruction[],
  type: number,
  access: number,
  device: [number, number],
) {
  const context = [(access << 16) | type, ...device];
  const r: number[] = [];
  for (let pc = 0;; pc++) {
    const { code, dst, src, off, imm } = program[pc]!;
    if (code === Code.LOAD32) r[dst] = context[off / 4]!;
    else if (code === Code.MOVE) r[dst] = imm;
    else if (code === Code.MOVE_REG) r[dst] = r[src]!;
    else if (code === Code.AND32) r[dst]! &= imm;
    else if (code === Code.SHIFT_RIGHT32) r[dst]! >>>= imm;
    else if (code === Code.JUMP_NOT_EQUAL) pc += r[dst] !== imm ? off : 0;
    else if (code === Code.JUMP_SET) pc += r[dst]! & imm ? off : 0;
    else if (code === Code.JUMP) pc += off;
    else return r[0] === 1;
  }
}

/** Each bit of access gets the answer of the last rule about it. */
function reference(
  rules: readonly Rule[],
  type: "b" | "c",
  access: number,
  device: [number, number],
) {
  return [MKNOD, READ, WRITE].filter((bit) => access & bit).every((bit) =>
    rules.findLast((rule) =>
      (rule.type === "a" || rule.type === type) &&
      (rule.major === -1 || rule.major === device[0]) &&
      (rule.minor === -1 || rule.minor === device[1]) && (rule.access & bit) !== 0
    )?.allow ?? false
  );
}

const anyRule: fc.Arbitrary<Rule> = fc.record({
  allow: fc.boolean(),
  type: fc.constantFrom("a" as const, "b" as const, "c" as const),
  major: fc.integer({ min: -1, max: 2 }),
  minor: fc.integer({ min: -1, max: 2 }),
  access: fc.integer({ min: 1, max: 7 }),
});

Deno.test("deviceProgram decides as applying the rules in order does", () => {
  const device = fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 }));
  const access = fc.integer({ min: 1, max: 7 });
  fc.assert(
    fc.property(
      fc.array(anyRule, { maxLength: 12 }),
      fc.constantFrom("b" as const, "c" as const),
      access,
      device,
      (rules, type, access, device) => {
        const program = deviceProgram(rules);
        const decided = execute(program, type === "b" ? 1 : 2, access, device);
        assertEquals(decided, reference(rules, type, access, device));
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("deviceState applies rules in order and keeps what differs from the default", () => {
  const rules = [
    DENY_ALL,
    rule(true, "c", 1, 3),
    rule(true, "a", 9, -1, READ),
    rule(false, "c", 1, 3, WRITE),
  ];
  assertEquals(deviceState(rules, "devices"), {
    allowAll: false,
    exceptions: new Map([["c 1:3", MKNOD | READ], ["c 9:*", READ], ["b 9:*", READ]]),
  });
  assertEquals(deviceState([rule(true, "a", -1, -1), rule(false, "b", 8, 0)], "devices"), {
    allowAll: true,
    exceptions: new Map([["b 8:0", ALL_ACCESS]]),
  });
});

Deno.test("deviceState refuses an exception from an exception", () => {
  assertThrows(
    () => deviceState([rule(true, "c", 1, -1), rule(false, "c", 1, 3)], "linux.resources.devices"),
    Error,
    'linux.resources.devices[1]: apply a rule for device "c 1:3": cgroup v1 cannot make an ' +
      'exception from the exception "c 1:*" before it: name the devices of the wider rule one by one',
  );
});

Deno.test("deviceWrites leaves alone what stays, and clears only to change the default", () => {
  const all = parseDevicesList("a *:* rwm\n");
  const some = parseDevicesList("c 1:3 rwm\nb 8:* r\n");
  const other = { allowAll: false, exceptions: new Map([["c 1:3", 7], ["c 1:5", 2]]) };
  assertEquals(deviceWrites(all, some), [
    { file: "devices.deny", value: "a" },
    { file: "devices.allow", value: "c 1:3 rwm" },
    { file: "devices.allow", value: "b 8:* r" },
  ]);
  assertEquals(deviceWrites(some, other), [
    { file: "devices.allow", value: "c 1:5 r" },
    { file: "devices.deny", value: "b 8:* r" },
  ]);
  assertEquals(deviceWrites(some, some), []);
  assertEquals(deviceWrites(some, all), [{ file: "devices.allow", value: "a" }]);
});
