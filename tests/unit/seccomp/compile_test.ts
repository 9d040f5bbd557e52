import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { loadSeccomp } from "../../../ffi/seccomp.ts";
import { isRuntsError } from "../../../lib/base/errors.ts";
import { compileProfile } from "../../../lib/seccomp/compile.ts";
import type {
  Seccomp,
  SeccompArg,
  SeccompOperator,
  SeccompRule,
} from "../../../lib/spec/types/config.ts";
import { actionOf, type Call, runFilter, X32_BIT, X86, X86_64 } from "../../support/bpf_machine.ts";

const LENIENT = { strict: false };
const NATIVE = loadSeccomp().nativeArchitecture;

function rule(names: string | string[], action: SeccompRule["action"], more = {}): SeccompRule {
  return { names: [names].flat(), action, ...more };
}

function denying(...syscalls: SeccompRule[]): Seccomp {
  return { defaultAction: "SCMP_ACT_ERRNO", syscalls };
}

function allowing(...syscalls: SeccompRule[]): Seccomp {
  return { defaultAction: "SCMP_ACT_ALLOW", syscalls };
}

function number(name: string, arch = NATIVE): number {
  return loadSeccomp().syscallOn(arch, name)!;
}

/** What a profile does with a system call of this machine. */
function answer(profile: Seccomp, name: string, ...args: bigint[]): string {
  return on(profile, { arch: NATIVE, number: number(name), args });
}

function on(profile: Seccomp, call: Call): string {
  return actionOf(runFilter(compileProfile(profile, LENIENT), call));
}

function fault(profile: Seccomp, options = LENIENT): string {
  const error = assertThrows(() => compileProfile(profile, options));
  assert(isRuntsError(error), String(error));
  return error.message;
}

Deno.test("every action becomes what the kernel is to do", () => {
  const profile = allowing(
    rule("read", "SCMP_ACT_KILL"),
    rule("write", "SCMP_ACT_KILL_THREAD"),
    rule("close", "SCMP_ACT_KILL_PROCESS"),
    rule("lseek", "SCMP_ACT_TRAP"),
    rule("mmap", "SCMP_ACT_ERRNO"),
    rule("munmap", "SCMP_ACT_ERRNO", { errnoRet: 0 }),
    rule("mprotect", "SCMP_ACT_ERRNO", { errnoRet: 4094 }),
    rule("brk", "SCMP_ACT_TRACE"),
    rule("ioctl", "SCMP_ACT_TRACE", { errnoRet: 65535 }),
    rule("getpid", "SCMP_ACT_LOG"),
    rule("getuid", "SCMP_ACT_NOTIFY"),
    rule("getgid", "SCMP_ACT_ALLOW"),
  );
  const names = profile.syscalls!.map((rule) => rule.names[0]!);
  assertEquals(names.map((name) => answer(profile, name)), [
    "KILL_THREAD",
    "KILL_THREAD",
    "KILL_PROCESS",
    "TRAP",
    "ERRNO 1",
    "ERRNO 0",
    "ERRNO 4094",
    "TRACE 1",
    "TRACE 65535",
    "LOG",
    "NOTIFY",
    "ALLOW",
  ]);
});

Deno.test("what no rule names gets the default action", () => {
  const named = rule("fchmodat", "SCMP_ACT_LOG");
  const defaults: [Partial<Seccomp>, string][] = [
    [{ defaultAction: "SCMP_ACT_ERRNO" }, "ERRNO 1"],
    [{ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 38 }, "ERRNO 38"],
    [{ defaultAction: "SCMP_ACT_TRACE", defaultErrnoRet: 7 }, "TRACE 7"],
    [{ defaultAction: "SCMP_ACT_KILL" }, "KILL_THREAD"],
    [{ defaultAction: "SCMP_ACT_KILL_PROCESS" }, "KILL_PROCESS"],
    [{ defaultAction: "SCMP_ACT_TRAP" }, "TRAP"],
    [{ defaultAction: "SCMP_ACT_ALLOW" }, "ALLOW"],
  ];
  for (const [profile, expected] of defaults) {
    assertEquals(answer({ ...denying(named), ...profile }, "mkdirat"), expected);
  }
  assertEquals(answer({ defaultAction: "SCMP_ACT_LOG" }, "mkdirat"), "LOG");
});

Deno.test("conditions compare all 64 bits", () => {
  const big = 0x1_0000_0005n;
  const expected: Record<SeccompOperator, [low: boolean, same: boolean, high: boolean]> = {
    SCMP_CMP_NE: [true, false, true],
    SCMP_CMP_LT: [true, false, false],
    SCMP_CMP_LE: [true, true, false],
    SCMP_CMP_EQ: [false, true, false],
    SCMP_CMP_GE: [false, true, true],
    SCMP_CMP_GT: [false, false, true],
    SCMP_CMP_MASKED_EQ: [false, true, false],
  };
  for (const [op, holds] of Object.entries(expected)) {
    const valueTwo = op === "SCMP_CMP_MASKED_EQ" ? { valueTwo: big } : {};
    const value = op === "SCMP_CMP_MASKED_EQ" ? 2n ** 64n - 1n : big;
    const arg = { index: 5, value, ...valueTwo, op: op as SeccompOperator };
    const profile = denying(rule("futex", "SCMP_ACT_ALLOW", { args: [arg] }));
    // The neighbours differ in the lower or in the upper half.
    const values: [bigint, boolean][] = [
      [big - 1n, holds[0]],
      [big - 2n ** 32n, holds[0]],
      [big, holds[1]],
      [big + 1n, holds[2]],
      [big + 2n ** 32n, holds[2]],
    ];
    for (const [argument, allowed] of values) {
      const got = answer(profile, "futex", 0n, 0n, 0n, 0n, 0n, argument);
      assertEquals(got, allowed ? "ALLOW" : "ERRNO 1", `${op} of 0x${argument.toString(16)}`);
    }
  }
});

Deno.test("SCMP_CMP_MASKED_EQ looks at the masked bits alone", () => {
  const arg = { index: 0, value: 0x7e020000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" };
  const profile = denying(rule("clone", "SCMP_ACT_ALLOW", { args: [arg] }));
  assertEquals(answer(profile, "clone", 0x1200011n), "ALLOW");
  assertEquals(answer(profile, "clone", 0x10000000n), "ERRNO 1");
  assertEquals(answer(profile, "clone", 0x20011n), "ERRNO 1");
});

Deno.test("all conditions must hold, unless two are about one argument", () => {
  const is = (index: number, value: number): SeccompArg => ({ index, value, op: "SCMP_CMP_EQ" });
  const both = denying(rule("socket", "SCMP_ACT_ALLOW", { args: [is(0, 1), is(1, 2)] }));
  assertEquals(answer(both, "socket", 1n, 2n), "ALLOW");
  assertEquals(answer(both, "socket", 1n, 3n), "ERRNO 1");
  assertEquals(answer(both, "socket", 3n, 2n), "ERRNO 1");
  const either = denying(
    rule("socket", "SCMP_ACT_ALLOW", { args: [is(0, 1), is(0, 9), is(1, 2)] }),
  );
  assertEquals(answer(either, "socket", 9n, 0n), "ALLOW");
  assertEquals(answer(either, "socket", 7n, 2n), "ALLOW");
  assertEquals(answer(either, "socket", 7n, 0n), "ERRNO 1");
});

Deno.test("unknown system calls are left out, unless that is to be an error", () => {
  const profile = denying(rule(["no_such_call", "lseek"], "SCMP_ACT_ALLOW"));
  assertEquals(answer(profile, "lseek"), "ALLOW");
  const { version } = loadSeccomp();
  assertEquals(
    fault(profile, { strict: true }),
    `linux.seccomp.syscalls[0].names[0]: libseccomp ${version} knows no system call "no_such_call"`,
  );
});

Deno.test("a rule that says what the default says is left out", () => {
  const profile = denying(
    rule("fchmodat", "SCMP_ACT_ALLOW"),
    rule("read", "SCMP_ACT_ERRNO"),
    rule("write", "SCMP_ACT_ERRNO", { errnoRet: 2 }),
  );
  assertEquals(answer(profile, "read"), "ERRNO 1");
  assertEquals(answer(profile, "write"), "ERRNO 2");
});

Deno.test("rules may repeat, but not contradict each other for the same case", () => {
  const args = [{ index: 0, value: 1, op: "SCMP_CMP_EQ" }];
  const repeated = denying(
    rule("fchmodat", "SCMP_ACT_ALLOW", { args }),
    rule("fchmodat", "SCMP_ACT_ALLOW", { args }),
  );
  assertEquals(answer(repeated, "fchmodat", 1n), "ALLOW");
  const contradicting = denying(
    rule("fchmodat", "SCMP_ACT_ALLOW", { args }),
    rule("fchmodat", "SCMP_ACT_LOG", { args }),
  );
  assertEquals(
    fault(contradicting),
    'linux.seccomp.syscalls[1]: add a rule for system call "fchmodat": EEXIST (file exists): ' +
      "an earlier rule has another action for the same case",
  );
});

Deno.test("error numbers have a limit", () => {
  assertEquals(
    fault(allowing(rule("read", "SCMP_ACT_ERRNO", { errnoRet: 4095 }))),
    "linux.seccomp.syscalls[0].errnoRet: 4095 is no error number: it is not less than 4095",
  );
  assertEquals(
    fault({ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 65535 }),
    "linux.seccomp.defaultErrnoRet: 65535 is no error number: it is not less than 4095",
  );
});

Deno.test("architectures: those of the library, with the byte order of this machine", () => {
  const { version } = loadSeccomp();
  assertEquals(
    fault({ ...allowing(), architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_VAX" as never] }),
    `linux.seccomp.architectures[1]: libseccomp ${version} does not have "SCMP_ARCH_VAX"`,
  );
  assertEquals(
    fault({ ...allowing(), architectures: ["SCMP_ARCH_S390X"] }),
    'linux.seccomp.architectures[0]: add architecture "SCMP_ARCH_S390X" to the seccomp filter: ' +
      "EDOM (numerical argument out of domain): " +
      "all architectures of a filter must have the same byte order",
  );
});

Deno.test("each architecture has its own numbers, and a strange one is killed", () => {
  const named = rule(["openat", "socketcall"], "SCMP_ACT_ALLOW");
  const architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"] as const;
  const profile = { ...denying(named), architectures };
  const x32 = loadSeccomp().architecture("x32")!;
  assertEquals(on(profile, { arch: X86, number: number("openat", X86) }), "ALLOW");
  assertEquals(on(profile, { arch: X86, number: number("socketcall", X86) }), "ALLOW");
  assertEquals(on(profile, { arch: X86_64, number: number("openat", X86_64) }), "ALLOW");
  assertEquals(on(profile, { arch: X86_64, number: number("openat", x32) }), "ALLOW");
  assertEquals(on(profile, { arch: 0xc00000b7, number: 56 }), "KILL_THREAD");
});

Deno.test("what is newer than the profile is ENOSYS, on each architecture", () => {
  const architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"] as const;
  const profile = { ...denying(rule(["openat", "mkdir"], "SCMP_ACT_ALLOW")), architectures };
  const x32 = loadSeccomp().architecture("x32")!;
  for (const [arch, token] of [[X86_64, X86_64], [X86, X86], [X86_64, x32]] as const) {
    const last = number("openat", token);
    const [before, named, after] = [-1, 0, 1].map((step) =>
      on(profile, { arch, number: last + step })
    );
    assertEquals([before, named, after], ["ERRNO 1", "ALLOW", "ERRNO 38"]);
  }
  assertEquals(on(profile, { arch: X86_64, number: -1 }), "ERRNO 38");
});

Deno.test("ENOSYS: this machine's architecture is always there, x32 only if it is named", () => {
  const profile = denying(rule("openat", "SCMP_ACT_ALLOW"));
  assertEquals(on(profile, { arch: NATIVE, number: number("openat") + 1 }), "ERRNO 38");
  assertEquals(on(profile, { arch: X86_64, number: X32_BIT + 1 }), "KILL_THREAD");
  assertEquals(on(profile, { arch: X86, number: 400 }), "KILL_THREAD");
});

Deno.test("ENOSYS: only where the profile denies and does not say so itself", () => {
  const named = rule("openat", "SCMP_ACT_TRAP");
  const newer = number("openat") + 1;
  const defaults: [Partial<Seccomp>, string][] = [
    [{ defaultAction: "SCMP_ACT_KILL" }, "ERRNO 38"],
    [{ defaultAction: "SCMP_ACT_KILL_PROCESS" }, "ERRNO 38"],
    [{ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 13 }, "ERRNO 38"],
    [{ defaultAction: "SCMP_ACT_ALLOW" }, "ALLOW"],
    [{ defaultAction: "SCMP_ACT_LOG" }, "LOG"],
    [{ defaultAction: "SCMP_ACT_TRACE" }, "TRACE 1"],
  ];
  for (const [profile, expected] of defaults) {
    assertEquals(on({ ...denying(named), ...profile }, { arch: NATIVE, number: newer }), expected);
  }
  const plain = compileProfile({ ...denying(named), defaultErrnoRet: 38 }, LENIENT);
  const patched = compileProfile({ ...denying(named), defaultErrnoRet: 37 }, LENIENT);
  assert(patched.length > plain.length);
});

Deno.test("ENOSYS: names that the machine lacks do not count", () => {
  const profile = denying(rule("socketcall", "SCMP_ACT_ALLOW"));
  assertEquals(on(profile, { arch: NATIVE, number: 100_000 }), "ERRNO 1");
});

Deno.test("a filter that the kernel would not take is an error here", () => {
  const syscalls = Array.from({ length: 1100 }, (_, index) => {
    const value = BigInt(index) * 0x1_0000_0001n;
    return rule("ioctl", "SCMP_ACT_LOG", { args: [{ index: 1, value, op: "SCMP_CMP_EQ" }] });
  });
  const message = fault(allowing(...syscalls));
  const found =
    /^linux\.seccomp: the profile compiles to (\d+) instructions, and the kernel takes 4096$/
      .exec(message);
  assert(Number(found?.[1]) > 4096, message);
});

/** The profile's own meaning, where no two rules are about one system call. */
function meaning({ defaultAction, syscalls = [] }: Seccomp, name: string, args: bigint[]): string {
  const newest = Math.max(...syscalls.flatMap((rule) => rule.names).map((each) => number(each)));
  const found = syscalls.find((rule) => rule.names.includes(name));
  const matches = found?.args?.every(({ index, op, value, valueTwo = 0 }) => {
    const [argument, wanted, two] = [args[index]!, BigInt(value), BigInt(valueTwo)];
    switch (op) {
      case "SCMP_CMP_NE":
        return argument !== wanted;
      case "SCMP_CMP_LT":
        return argument < wanted;
      case "SCMP_CMP_LE":
        return argument <= wanted;
      case "SCMP_CMP_EQ":
        return argument === wanted;
      case "SCMP_CMP_GE":
        return argument >= wanted;
      case "SCMP_CMP_GT":
        return argument > wanted;
      case "SCMP_CMP_MASKED_EQ":
        return (argument & wanted) === (two & wanted);
    }
  }) ?? true;
  if (defaultAction === "SCMP_ACT_ERRNO" && number(name) > newest) return "ERRNO 38";
  const action = (found && matches ? found.action : defaultAction).slice("SCMP_ACT_".length);
  return action === "ERRNO" ? "ERRNO 1" : action;
}

const NAMES = ["read", "write", "close", "fstat", "lseek", "mmap", "brk", "ioctl", "pipe2", "dup3"]
  .concat(["getpid", "socket", "connect", "accept4", "clone", "execve", "exit", "wait4", "kill"])
  .concat(["uname", "fcntl", "flock", "fsync", "getcwd", "chdir", "openat", "mkdirat", "futex"])
  .concat(["ptrace", "syslog", "setuid", "prctl", "mount", "reboot", "sethostname", "gettid"])
  .concat([
    "tkill",
    "splice",
    "tee",
    "setns",
    "bpf",
    "statx",
    "clone3",
    "openat2",
    "landlock_add_rule",
  ]);

const word = fc.oneof(fc.bigInt(0n, 8n), fc.bigInt(0n, 2n ** 64n - 1n));
const condition = fc.record({
  index: fc.integer({ min: 0, max: 5 }),
  op: fc.constantFrom<SeccompOperator>(
    "SCMP_CMP_NE",
    "SCMP_CMP_LT",
    "SCMP_CMP_LE",
    "SCMP_CMP_EQ",
    "SCMP_CMP_GE",
    "SCMP_CMP_GT",
    "SCMP_CMP_MASKED_EQ",
  ),
  value: word,
  valueTwo: word,
});
/** libseccomp makes no sense of a masked value with bits outside the mask: it can never match. */
const conditions = fc.uniqueArray(condition, { maxLength: 3, selector: (each) => each.index })
  .map((list) => list.map((each) => ({ ...each, valueTwo: each.valueTwo & each.value })));

Deno.test("a filter means what the profile says, as list and as tree", () => {
  const rules = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 45 }).chain(
    (names) =>
      fc.tuple(
        ...names.map((name) =>
          fc.tuple(
            fc.constantFrom<SeccompRule["action"]>("SCMP_ACT_TRAP", "SCMP_ACT_LOG"),
            conditions,
          )
            .map(([action, args]) => rule(name, action, { args }))
        ),
      ),
  );
  const defaults = fc.constantFrom<Seccomp["defaultAction"]>("SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW");
  const property = fc.property(rules, defaults, fc.array(word, { minLength: 6, maxLength: 6 }), (
    syscalls,
    defaultAction,
    args,
  ) => {
    const profile: Seccomp = { defaultAction, syscalls };
    const filter = compileProfile(profile, LENIENT);
    for (const name of NAMES) {
      // The values of the rule itself make its conditions hold now and then.
      const own = syscalls.find((rule) => rule.names.includes(name))?.args ?? [];
      const near = args.map((value, index) =>
        BigInt(own.find((arg) => arg.index === index)?.value ?? value)
      );
      for (const values of [args, near]) {
        const call = { arch: NATIVE, number: number(name), args: values };
        assertEquals(actionOf(runFilter(filter, call)), meaning(profile, name, values), name);
      }
    }
  });
  fc.assert(property, { numRuns: 60 });
});
