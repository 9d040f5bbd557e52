import { assertEquals } from "@std/assert";
import { enosysProgram } from "../../../lib/seccomp/enosys.ts";
import { actionOf, runFilter, X32_BIT, X86, X86_64 } from "../../support/bpf_machine.ts";

const X32 = 0x4000003e;
const AARCH64 = 0xc00000b7;
const S390X = 0x80000016;

/** The program with a filter behind it that allows everything. */
function answers(numbers: Record<number, number[]>): (arch: number, number: number) => string {
  const program = enosysProgram(Object.keys(numbers).map(Number), (arch) => numbers[arch]!);
  const filter = new Uint8Array([...program, 6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
  return (arch, number) => actionOf(runFilter(filter, { arch, number }));
}

Deno.test("enosysProgram: the greatest number of each architecture counts", () => {
  const answer = answers({ [AARCH64]: [3, 200, -10001], [X86]: [7], [X86_64]: [-1] });
  assertEquals([199, 200, 201].map((number) => answer(AARCH64, number)), [
    "ALLOW",
    "ALLOW",
    "ERRNO 38",
  ]);
  assertEquals([7, 8].map((number) => answer(X86, number)), ["ALLOW", "ERRNO 38"]);
  assertEquals(answer(X86_64, 5000), "ALLOW");
  assertEquals(answer(S390X, 5000), "ALLOW");
});

Deno.test("enosysProgram: x32 shares an architecture with x86_64", () => {
  const cases: [Record<number, number[]>, string[]][] = [
    [{ [X86_64]: [10], [X32]: [X32_BIT + 20] }, ["ALLOW", "ERRNO 38", "ALLOW", "ERRNO 38"]],
    [{ [X86_64]: [10] }, ["ALLOW", "ERRNO 38", "ALLOW", "ALLOW"]],
    [{ [X32]: [X32_BIT + 20] }, ["ALLOW", "ALLOW", "ALLOW", "ERRNO 38"]],
    [{ [X32]: [X32_BIT + 20], [X86_64]: [-1] }, ["ALLOW", "ALLOW", "ALLOW", "ERRNO 38"]],
  ];
  for (const [numbers, expected] of cases) {
    const answer = answers(numbers);
    const called = [10, 11, X32_BIT + 20, X32_BIT + 21];
    assertEquals(called.map((number) => answer(X86_64, number)), expected);
  }
});

Deno.test("enosysProgram: s390 shows unknown numbers as 0", () => {
  const answer = answers({ [S390X]: [5] });
  assertEquals([0, 1, 5, 6].map((number) => answer(S390X, number)), [
    "ERRNO 38",
    "ALLOW",
    "ALLOW",
    "ERRNO 38",
  ]);
});

Deno.test("enosysProgram: nothing named, no program", () => {
  assertEquals(enosysProgram([X86, X86_64], () => [-10060]), new Uint8Array());
  assertEquals(enosysProgram([X86], () => []), new Uint8Array());
});
