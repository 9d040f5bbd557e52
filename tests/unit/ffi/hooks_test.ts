import { assert, assertEquals, assertRejects } from "@std/assert";
import type { HookEnding, HookProgram } from "../../../ffi/hooks.ts";
import { loadHelper } from "../../../ffi/helper.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

/** Runs a shell script as a hook; duration is checked, not compared. */
async function run(
  script: string,
  more: Partial<HookProgram> = {},
): Promise<Omit<HookEnding, "durationMs">> {
  const helper = await loadHelper();
  const { durationMs, ...ending } = await helper.runHook({
    path: "/bin/sh",
    args: ["sh", "-c", script],
    env: [],
    stdin: new Uint8Array(0),
    timeoutSeconds: 0,
    ...more,
  });
  assert(durationMs > 0 && durationMs < 60_000, String(durationMs));
  return ending;
}

const fine = { code: 0, signal: 0, timedOut: false, stderr: "", errno: 0 };

Deno.test("a hook has its input, arguments, environment and directory", async () => {
  const folder = await Deno.makeTempDir({ prefix: "runts-hook-" });
  try {
    const stdin = new TextEncoder().encode(`{"id":"${"ä".repeat(100_000)}"}`);
    const ending = await run("", {
      args: ["sh", "-c", 'cat > input; echo "$0 $1|$A|$PWD" > rest', "zero", "one two"],
      env: ["A=b=c", "PATH=/usr/bin:/bin"],
      stdin,
      cwd: folder,
    });
    assertEquals(ending, fine);
    assertEquals(Deno.readFileSync(`${folder}/input`), stdin);
    assertEquals(Deno.readTextFileSync(`${folder}/rest`), `zero one two|b=c|${folder}\n`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("how a hook ended is told, with what it said last", async () => {
  assertEquals(await run("exit 3"), { ...fine, code: 3 });
  assertEquals(await run("kill -9 $$"), { ...fine, signal: 9 });
  assertEquals(await run("echo bad >&2; exit 1", {}), { ...fine, code: 1, stderr: "bad\n" });
  const long = await run("head -c 9000 /dev/zero | tr '\\0' x >&2; echo end >&2", {
    env: ["PATH=/usr/bin:/bin"],
  });
  assertEquals(long, { ...fine, stderr: `${"x".repeat(4092)}end\n` });
});

Deno.test("what a hook says on standard output is told, too", async () => {
  const said = "one\ntwo\nthree\n";
  const ending = await run("echo one; echo two >&2; echo three; exit 1");
  assertEquals(ending, { ...fine, code: 1, stderr: said });
});

Deno.test("a hook whose directory is gone runs in the root", async () => {
  assertEquals(await run('test "$(pwd)" = /', { cwd: "/no/such" }), fine);
});

Deno.test("a hook writes to descriptors of its own", async () => {
  const helper = await loadHelper();
  const folder = await Deno.makeTempDir({ prefix: "runts-hook-" });
  const [stdout, stderr] = ["out", "err"].map((name) => helper.open(`${folder}/${name}`, 0o101));
  try {
    const ending = await run("echo out; echo err >&2; exit 1", {
      stdout: stdout!,
      stderr: stderr!,
    });
    assertEquals(ending, { ...fine, code: 1 });
    assertEquals(Deno.readTextFileSync(`${folder}/out`), "out\n");
    assertEquals(Deno.readTextFileSync(`${folder}/err`), "err\n");
  } finally {
    for (const fd of [stdout!, stderr!]) helper.close(fd);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a hook that takes too long is ended", async () => {
  const ending = await run("sleep 100", { timeoutSeconds: 1, env: ["PATH=/usr/bin:/bin"] });
  assertEquals([ending.timedOut, ending.signal, ending.errno], [true, 9, 0]);
});

Deno.test("hooks run while others are under way", async () => {
  const env = ["PATH=/usr/bin:/bin"];
  const scripts = ["exit 1", "sleep 0.05; exit 2", "exit 3"];
  const codes = await Promise.all(scripts.map((script) => run(script, { env })));
  assertEquals(codes.map(({ code }) => code), [1, 2, 3]);
});

Deno.test("many hooks at once hold nobody up, and take one thread", async () => {
  const threads = () => Array.from(Deno.readDirSync("/proc/self/task")).length;
  await run("exit 0");
  const before = threads();
  const env = ["PATH=/usr/bin:/bin"];
  const folder = await Deno.makeTempDir({ prefix: "runts-hook-" });
  const helper = await loadHelper();
  helper.makeFifo(`${folder}/fifo`, 0o600);
  const script = `echo waits >&2; read line < ${folder}/fifo; exit 7`;
  const hooks = Array.from({ length: 40 }, () => run(script, { env, timeoutSeconds: 60 }));
  await Deno.readTextFile("/etc/hostname");
  assert(threads() <= before + 2, `${threads()} threads instead of ${before}`);
  // Closing it ends the wait of each; those that come late open it again.
  const ended = Promise.all(hooks);
  for (let done = false; !done;) {
    const writer = helper.open(`${folder}/fifo`, 0o4002);
    helper.close(writer);
    done = await Promise.race([
      ended.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, 5, false)),
    ]);
  }
  const endings = await ended;
  assertEquals(endings, endings.map(() => ({ ...fine, code: 7, stderr: "waits\n" })));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a program that cannot be executed is an error number", async () => {
  assertEquals((await run("", { path: "/no/such/hook" })).errno, 2);
  assertEquals((await run("", { path: "/etc/passwd" })).errno, 13);
  const error = await assertRejects(() => run("", { args: ["a\0b"] }), RuntsError);
  assertEquals(error.message, 'use "a\\u0000b": EINVAL (invalid argument)');
});
