import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { RuntsError } from "../../../lib/base/errors.ts";
import {
  decodePrepared,
  encodePrepared,
  type Prepared,
  PREPARED_CGROUPS_MAX,
  PREPARED_FILE,
  PREPARED_HEADER,
  PREPARED_LAYOUT,
  PREPARED_MAX,
  PREPARED_TEXTS,
  PreparedFlag,
} from "../../../lib/wire/prepared.ts";
import { ROOT } from "../../../tools/support/paths.ts";

const RECORD: Prepared = {
  flags: 5,
  front: "0123456789abcdef0123456789abcdef",
  bootId: "820118a1-1483-4576-896f-60d971ceaf50",
  pid: 4711,
  startTime: 987654321,
  config: { inode: 2 ** 40 + 1, size: 1426, mtime: 1_790_000_000_123 },
  stopSignal: 15,
  cgroups: [{ inode: 77, path: "/sys/fs/cgroup/freezer/web" }, { inode: 78, path: "/sys/fs/é" }],
  status: '{"pid": 4711}\n',
  beforePid: '{\n  "pid": ',
  beforeState: ',\n  "status": "',
  afterState: '"\n}\n',
  freezerState: "/sys/fs/cgroup/freezer/web/freezer.state",
  cgroupFreeze: "",
  cgroupEvents: "",
  cgroupName: "/web",
};

/** `ownPids` as C has it. */
const inC = (name: string) => name.replace(/[A-Z]/g, "_$&").toUpperCase();
const field = (name: string) => inC(name).toLowerCase();

Deno.test("the layout of a record is that of c/include/prepared.h", async () => {
  const offsets = Object.entries(PREPARED_LAYOUT)
    .map(([name, at]) => `SAME(offsetof(struct prepared, ${name}), ${at});`);
  const texts = PREPARED_TEXTS.map((name, i) =>
    `SAME(offsetof(struct prepared, ${field(name)}), ${PREPARED_LAYOUT.status + 8 * i});`
  );
  const flags = Object.entries(PreparedFlag)
    .map(([name, value]) => `SAME(PREPARED_${inC(name)}, ${value});`);
  const program = `
#include <stddef.h>
#include "${ROOT}/c/include/prepared.h"
#define SAME(a, b) _Static_assert((a) == (b), #a)
${[...offsets, ...texts, ...flags].join("\n")}
SAME(sizeof(struct prepared), ${PREPARED_HEADER});
SAME(sizeof(struct prepared_cgroup), 16);
SAME(offsetof(struct prepared_cgroup, path), 8);
SAME(PREPARED_MAX, ${PREPARED_MAX});
SAME(PREPARED_CGROUPS_MAX, ${PREPARED_CGROUPS_MAX});
SAME(sizeof PREPARED_FILE, sizeof "${PREPARED_FILE}");
`;
  const gcc = new Deno.Command("gcc", {
    args: ["-std=c11", "-Wall", "-Wextra", "-Werror", "-x", "c", "-fsyntax-only", "-"],
    stdin: "piped",
    stderr: "piped",
  }).spawn();
  const writer = gcc.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { code, stderr } = await gcc.output();
  assertEquals({ code, stderr: new TextDecoder().decode(stderr) }, { code: 0, stderr: "" });
});

Deno.test("a record is read as it was written", () => {
  assertEquals(decodePrepared(encodePrepared(RECORD)!), RECORD);
  const text = fc.string({ unit: "binary" }).filter((one) => !one.includes("\0"));
  const texts = fc.record(Object.fromEntries(PREPARED_TEXTS.map((name) => [name, text])));
  fc.assert(fc.property(texts, fc.nat(), (some, pid) => {
    const record = { ...RECORD, ...some, pid } as Prepared;
    assertEquals(decodePrepared(encodePrepared(record)!), record);
  }));
});

Deno.test("what is too much for the front is not written", () => {
  assertEquals(encodePrepared({ ...RECORD, status: "x".repeat(PREPARED_MAX) }), undefined);
  assertEquals(encodePrepared({ ...RECORD, cgroupName: "a\0b" }), undefined);
  const many = (count: number) => Array.from({ length: count }, () => RECORD.cgroups[0]!);
  const cgroups = many(PREPARED_CGROUPS_MAX);
  assertEquals(decodePrepared(encodePrepared({ ...RECORD, cgroups })!).cgroups, cgroups);
  const tooMany = many(PREPARED_CGROUPS_MAX + 1);
  assertEquals(encodePrepared({ ...RECORD, cgroups: tooMany }), undefined);
});

Deno.test("a damaged record is an error", () => {
  const bytes = encodePrepared(RECORD)!;
  const foreign = bytes.slice();
  foreign[0] = 0;
  for (const some of [new Uint8Array(), bytes.subarray(0, 100), bytes.subarray(1), foreign]) {
    const message = "read the record of prepared verbs: it is damaged";
    assertThrows(() => decodePrepared(some), RuntsError, message);
  }
});
