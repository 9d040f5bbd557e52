/** Documents that callers name: pipes that somebody writes to are read, and nobody else waited for. */

import { assert, assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, type Output, RUNTS_ONLY } from "../../support/runtime.ts";
import { withSleeper } from "../../support/seen.ts";

/** Runs runts by bash, in which `$runts` is the command without its arguments, `$b` a folder. */
function script(runtime: TestRuntime, b: string, text: string): Promise<Output> {
  const runts = `${runtime.executable} --root ${runtime.root}`;
  return command(["bash", "-c", text], { env: { runts, b, id: runtime.id() }, timeout: 30_000 });
}

function makeFifo(path: string): void {
  const { code } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  assertEquals(code, 0);
}

/** Each verb with a document, and what stands before the name of the file in its message. */
const DOCUMENTS: readonly [args: string, before: string][] = [
  ["create --bundle $b web", 'create "web": '],
  ["run --bundle $b web", 'run "web": '],
  ["create --bundle $b --config $b/config.json web", 'create "web": '],
  ["explain --bundle $b", 'explain "container": '],
  ["explain --seccomp --bundle $b", 'explain "container": '],
  ["validate --bundle $b", "validate: "],
  ["validate --process $b/config.json", "validate: "],
  ["validate --resources $b/config.json", "validate: "],
  ["update --resources $b/config.json web", "update: "],
];

/** What is no document, and what is said of it. */
const OTHERS: readonly [what: string, make: (path: string) => unknown, message: string][] = [
  ["a fifo", makeFifo, "it is a fifo that nobody writes to"],
  ["a directory", Deno.mkdirSync, "EISDIR (is a directory)"],
  ["/dev/zero", (path) => Deno.symlinkSync("/dev/zero", path), "it is longer than 64 MiB"],
  [
    "a file with 100 MB",
    (path) => {
      Deno.writeTextFileSync(path, "{");
      Deno.truncateSync(path, 100_000_000);
    },
    "it is longer than 64 MiB",
  ],
];

for (const [what, make, message] of OTHERS) {
  Deno.test({
    name: `a document that is ${what}`,
    ...RUNTS_ONLY,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle();
        const file = `${bundle.path}/config.json`;
        Deno.removeSync(file);
        make(file);
        for (const [args, before] of DOCUMENTS) {
          const { code, stdout, stderr } = await script(runtime, bundle.path, `$runts ${args}`);
          const wanted = `runts: ${before}read "${file}": ${message}\n`;
          assertEquals({ args, code, stdout, stderr }, {
            args,
            code: 1,
            stdout: "",
            stderr: wanted,
          });
        }
      }),
  });
}

Deno.test({
  name: "exec of a process document that is a fifo",
  ...RUNTS_ONLY,
  fn: () =>
    withSleeper(() => {}, async ({ runtime, id, bundle }) => {
      const file = `${bundle.path}/process.json`;
      makeFifo(file);
      const output = await runtime.run(["exec", "--process", file, id], { timeout: 30_000 });
      const message = `read "${file}": it is a fifo that nobody writes to`;
      const stderr = `runts: exec "${id}": ${message}\n`;
      assertEquals(output, { code: 255, stdout: "", stderr });
      const process = JSON.stringify({ cwd: "/", user: { uid: 0, gid: 0 }, args: ["echo", "hi"] });
      const line = `${runtime.executable} --root ${runtime.root} exec`;
      const env = { process, line, id };
      const text = '$line --process <(echo "$process") $id';
      assertEquals(await command(["bash", "-c", text], { env }), {
        code: 0,
        stdout: "hi\n",
        stderr: "",
      });
    }),
});

Deno.test({
  name: "configurations from pipes",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.process.args = ["echo", "\u00fc"]);
      makeFifo(`${bundle.path}/fifo`);
      const ways = [
        "$runts run --bundle $b --config <(cat $b/config.json) $id",
        "cat $b/config.json | $runts run --bundle $b --config /dev/stdin $id",
        "$runts run --bundle $b --config /dev/stdin $id <$b/config.json",
        // One that is slow, with a character in two parts; one that waits; and one that comes late.
        "{ tr -d '\\n' <$b/config.json | head -c 20; sleep 0.1; tail -c +21 $b/config.json; } | " +
        "$runts run --bundle $b --config /dev/stdin $id",
        "cat $b/config.json >$b/fifo & $runts run --bundle $b --config $b/fifo $id",
        "(sleep 0.2; cat $b/config.json >$b/fifo) & $runts run --bundle $b --config $b/fifo $id",
      ];
      for (const way of ways) {
        const output = await script(runtime, bundle.path, way);
        assertEquals({ way, ...output }, { way, code: 0, stdout: "\u00fc\n", stderr: "" });
      }
    }),
});

Deno.test({
  name: "a log that is a fifo needs no reader, and one that is there gets the message",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle();
      makeFifo(`${bundle.path}/log`);
      const state = "$runts --log $b/log --log-format json state none";
      const stderr = 'runts: state "none": container does not exist\n';
      assertEquals(await script(runtime, bundle.path, state), { code: 1, stdout: "", stderr });
      const read = `exec 3<>$b/log; ${state}; read -r line <&3; echo "$line"`;
      const output = await script(runtime, bundle.path, read);
      const { level, msg } = JSON.parse(output.stdout);
      assertEquals({ level, msg, stderr: output.stderr }, {
        level: "error",
        msg: 'state "none": container does not exist',
        stderr,
      });
    }),
});

Deno.test({
  name: "resources from the standard input have an end",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      const { code, stderr } = await script(runtime, "/", "$runts update -r - web </dev/zero");
      const message = "update: read the standard input: it is longer than 64 MiB";
      assertEquals({ code, stderr }, { code: 1, stderr: `runts: ${message}\n` });
      const empty = await script(runtime, "/", "$runts update -r - web </dev/null");
      assert(empty.stderr.includes("malformed JSON: the text is empty"), empty.stderr);
    }),
});
