import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { loadSeccomp } from "../../../ffi/seccomp.ts";
import { isRuntsError } from "../../../lib/base/errors.ts";
import { checksum } from "../../../lib/seccomp/cache.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { compileSeccomp, type SeccompOptions } from "../../../lib/seccomp/mod.ts";
import type { Seccomp, SeccompFlag } from "../../../lib/spec/types/config.ts";
import { actionOf, runFilter } from "../../support/bpf_machine.ts";

const LIBRARY = loadSeccomp();
const PROFILE: Seccomp = {
  defaultAction: "SCMP_ACT_ERRNO",
  syscalls: [{ names: ["openat"], action: "SCMP_ACT_ALLOW" }],
};
/** A filter that no profile here compiles to: it is seen where the cache was used. */
const MARK = new Uint8Array([6, 0, 0, 0, 0, 0, 3, 0]);

/** A state root with a cache that holds the profile. */
class Root implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "runts-seccomp-" });

  get directory(): string {
    return `${this.path}/.seccomp`;
  }

  get names(): string[] {
    return [...Deno.readDirSync(this.directory)].map((entry) => entry.name);
  }

  get entry(): string {
    return `${this.directory}/${this.names[0]}`;
  }

  async compile(profile = PROFILE, options: SeccompOptions = {}): Promise<Uint8Array> {
    return (await compileSeccomp(profile, { cache: new Runtime({ root: this.path }), ...options }))
      .filter;
  }

  /** Puts something else for parts of the only entry. */
  alter(change: (lines: string[]) => void): void {
    const lines = Deno.readTextFileSync(this.entry).split("\n");
    change(lines);
    Deno.writeTextFileSync(this.entry, lines.join("\n"));
  }

  /** Puts the mark in place of the filter, as if it had been compiled so. */
  mark(): void {
    this.alter((lines) => {
      lines[2] = MARK.toBase64();
      lines[3] = checksum(lines[2]);
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** A root whose cache has the mark; without a change, it is what compiling gives. */
async function marked(): Promise<Root> {
  const root = new Root();
  await root.compile();
  root.mark();
  assertEquals(await root.compile(), MARK);
  return root;
}

async function fault(promise: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => promise);
  assert(isRuntsError(error), String(error));
  return error.message;
}

Deno.test("a filter is compiled once", async () => {
  using root = new Root();
  const first = await root.compile();
  assertEquals(await root.compile(), first);
  assertEquals(first, (await compileSeccomp(PROFILE, {})).filter);
  assertEquals(root.names.length, 1);
  assertEquals(Deno.statSync(root.directory).mode! & 0o777, 0o700);
  assertEquals(Deno.statSync(root.entry).mode! & 0o777, 0o600);
});

Deno.test("each profile has its own filter; who listens does not matter", async () => {
  using root = await marked();
  const other: Seccomp = { ...PROFILE, defaultErrnoRet: 2 };
  assertNotEquals(await root.compile(other), MARK);
  assertEquals(root.names.length, 2);
  assertEquals(await root.compile({ ...PROFILE, listenerPath: "/a", flags: [] }), MARK);
  const strict = { annotations: { "run.oci.seccomp_fail_unknown_syscall": "1" } };
  assertNotEquals(await root.compile(PROFILE, strict), MARK);
});

Deno.test("numbers beyond 2^53 tell profiles apart", async () => {
  using root = new Root();
  const profile = (value: bigint): Seccomp => ({
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{
      names: ["lseek"],
      action: "SCMP_ACT_TRAP",
      args: [{ index: 1, value, op: "SCMP_CMP_EQ" }],
    }],
  });
  const call = { arch: LIBRARY.nativeArchitecture, number: LIBRARY.syscall("lseek")! };
  for (const value of [2n ** 64n - 1n, 2n ** 64n - 2n]) {
    const filter = await root.compile(profile(value));
    assertEquals(actionOf(runFilter(filter, { ...call, args: [0n, value] })), "TRAP");
    assertEquals(actionOf(runFilter(filter, { ...call, args: [0n, value ^ 1n] })), "ALLOW");
  }
  assertEquals(root.names.length, 2);
});

Deno.test("an entry that is damaged, or of another key, is not used but replaced", async () => {
  const changes: ((lines: string[]) => void)[] = [
    (lines) => lines[2] = lines[2]!.replace("AA", "AB"),
    (lines) => lines.splice(3),
    (lines) => lines[1] = lines[1]!.replace("openat", "openbt"),
    (lines) => lines[0] = lines[0]!.replace(/"size":\d+/, '"size":1'),
    (lines) => lines[0] = lines[0]!.replace(/"modified":\d+/, '"modified":1'),
    (lines) => lines[0] = lines[0]!.replace(/"runts":"[^"]*"/, '"runts":"0"'),
    (lines) => lines[0] = lines[0]!.replace("libseccomp.so", "libseccomp2.so"),
    (lines) => lines[0] = "{}",
    (lines) => lines.splice(0),
  ];
  for (const change of changes) {
    using root = await marked();
    root.alter(change);
    const compiled = await root.compile();
    assertNotEquals(compiled, MARK, String(change));
    root.mark();
    assertEquals(await root.compile(), MARK, String(change));
  }
});

Deno.test("a directory that others can write to is not used", async () => {
  using root = await marked();
  Deno.chmodSync(root.directory, 0o770);
  assertNotEquals(await root.compile(), MARK);
  Deno.chmodSync(root.directory, 0o700);
  assertEquals(await root.compile(), MARK);
  Deno.renameSync(root.directory, `${root.path}/elsewhere`);
  Deno.symlinkSync("elsewhere", root.directory);
  assertNotEquals(await root.compile(), MARK);
});

Deno.test("without a place to keep it, a filter is compiled each time", async () => {
  using root = new Root();
  const expected = await root.compile();
  assertEquals(
    await root.compile(PROFILE, { cache: new Runtime({ root: `${root.path}/missing` }) }),
    expected,
  );
  Deno.removeSync(root.directory, { recursive: true });
  Deno.writeTextFileSync(root.directory, "");
  assertEquals(await root.compile(), expected);
  assertEquals(Deno.readTextFileSync(root.directory), "");
});

Deno.test("the cache keeps what was used last", async () => {
  using root = new Root();
  const profile = (defaultErrnoRet: number): Seccomp => ({ ...PROFILE, defaultErrnoRet });
  const errnoOf = (name: string) =>
    Number(/ERRNO",(\d+),/.exec(Deno.readTextFileSync(`${root.directory}/${name}`))![1]);
  for (let errno = 2; errno < 66; errno++) await root.compile(profile(errno));
  assertEquals(root.names.length, 64);
  for (const name of root.names) {
    const errno = errnoOf(name); // reading counts as use
    Deno.utimeSync(`${root.directory}/${name}`, errno, errno);
  }
  await root.compile(profile(100));
  const kept = root.names.map(errnoOf).sort((a, b) => a - b);
  assertEquals(kept, [...Array.from({ length: 48 }, (_, index) => index + 18), 100]);
});

Deno.test("flags become those of seccomp(2)", async () => {
  const notify: Seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["openat"], action: "SCMP_ACT_NOTIFY" }],
  };
  const cases: [SeccompFlag[] | undefined, plain: number, listening: number][] = [
    [undefined, 4, 4],
    [[], 0, 0],
    [["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"], 6, 6],
    [["SECCOMP_FILTER_FLAG_TSYNC"], 1, 1 | 16],
    [["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], 0, 32],
  ];
  for (const [flags, plain, listening] of cases) {
    const more = flags && { flags };
    const [a, b] = await Promise.all([
      compileSeccomp({ ...PROFILE, ...more }, {}),
      compileSeccomp({ ...notify, ...more }, {}),
    ]);
    assertEquals([a.flags, a.notify, b.flags, b.notify], [plain, false, listening, true]);
  }
});

Deno.test("an annotation brings its own program, with a profile or without", async () => {
  const annotations = { "run.oci.seccomp_bpf_data": MARK.toBase64() };
  const expected = { filter: MARK, notify: false };
  assertEquals(await compileSeccomp(undefined, { annotations }), { ...expected, flags: 4 });
  const profile = { ...PROFILE, flags: ["SECCOMP_FILTER_FLAG_LOG"] } as const;
  assertEquals(await compileSeccomp(profile, { annotations }), { ...expected, flags: 2 });
  const name = 'annotations["run.oci.seccomp_bpf_data"]';
  const broken: [string, string][] = [
    ["!", `${name}: the seccomp filter is not base64`],
    ["", `${name}: a seccomp filter of 0 bytes is not a number of instructions`],
    ["AAAA", `${name}: a seccomp filter of 3 bytes is not a number of instructions`],
  ];
  for (const [text, message] of broken) {
    const options = { annotations: { "run.oci.seccomp_bpf_data": text } };
    assertEquals(await fault(compileSeccomp(PROFILE, options)), message);
  }
});

Deno.test("unknown system calls are an error if an annotation wants it", async () => {
  const profile: Seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["a_call"], action: "SCMP_ACT_TRAP" }],
  };
  const strict = (value: string) =>
    compileSeccomp(profile, { annotations: { "run.oci.seccomp_fail_unknown_syscall": value } });
  assertEquals((await strict("0")).notify, false);
  assertEquals(
    await fault(strict("1")),
    "linux.seccomp.syscalls[0].names[0]: " +
      `libseccomp ${LIBRARY.version} knows no system call "a_call"`,
  );
});
