/** exec, run and start of what cannot be executed: which of the many reasons it is. */

import { assertEquals } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";
import { withSleeper } from "../../support/seen.ts";

/** Header of an ELF program for another machine (elf(5)). */
function foreignProgram(): Uint8Array {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.set([2, 0, 183, 0], 16); // ET_EXEC, aarch64
  return header;
}

/** An ELF program of this machine that names a loader. */
function dynamicProgram(loader: string): Uint8Array {
  const text = new TextEncoder().encode(`${loader}\0`);
  const bytes = new Uint8Array(120 + text.length);
  bytes.set(Deno.readFileSync("/bin/busybox").subarray(0, 64));
  bytes.set(text, 120);
  const view = new DataView(bytes.buffer);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setBigUint64(32, 64n, true); // e_phoff
  [64, 56, 1, 64, 0, 0].forEach((size, index) => view.setUint16(52 + 2 * index, size, true));
  view.setUint32(64, 3, true); // PT_INTERP
  view.setBigUint64(72, 120n, true); // p_offset
  view.setBigUint64(96, BigInt(text.length), true); // p_filesz
  return bytes;
}

/** Puts what cannot be executed into the root filesystem. */
function addPrograms(config: Config, bundle: Bundle): void {
  const put = (path: string, bytes: Uint8Array) => {
    Deno.writeFileSync(`${bundle.rootfs}/${path}`, bytes);
    Deno.chmodSync(`${bundle.rootfs}/${path}`, 0o755);
  };
  bundle.put("bin/text", "true\n");
  bundle.put("bin/words", "true\n", 0o755);
  bundle.put("bin/crlf", "#!/bin/sh\r\ntrue\n", 0o755);
  bundle.put("bin/mark", "\ufeff#!/bin/sh\ntrue\n", 0o755);
  bundle.put("bin/lost", "#!/bin/nosuch -x\n", 0o755);
  bundle.put("bin/data", "#!/etc/passwd\n", 0o755);
  bundle.put("bin/self", "#!/bin/self\n", 0o755);
  bundle.put("bin/empty", "", 0o755);
  put("bin/foreign", foreignProgram());
  put("bin/cut", Deno.readFileSync("/bin/busybox").subarray(0, 40));
  put("bin/dynamic", dynamicProgram("/lib/ld-nosuch.so.2"));
  put("bin/badly", dynamicProgram("/etc/passwd"));
  Deno.symlinkSync("/nosuch", `${bundle.rootfs}/bin/dangling`);
  Deno.symlinkSync("circle", `${bundle.rootfs}/bin/circle`);
  Deno.mkdirSync(`${bundle.rootfs}/closed`);
  bundle.put("closed/tool", "#!/bin/sh\n", 0o755);
  Deno.chmodSync(`${bundle.rootfs}/closed`, 0o700);
  Deno.chownSync(`${bundle.rootfs}/closed`, 77, 77);
  Deno.mkdirSync(`${bundle.rootfs}/mounted`);
  config.mounts.push({
    destination: "/mounted",
    type: "bind",
    source: `${bundle.rootfs}/bin`,
    options: ["bind", "noexec"],
  });
}

const NOEXEC = "or lies on a mount with the option noexec";

/** Program, and what is said of it. The first is found out when it is looked for. */
const SEARCHED: readonly (readonly [string, string])[] = [
  ["nope", 'exec: "nope": executable file not found in $PATH: PATH is "/bin"'],
  ["dangling", 'exec: "dangling": executable file not found in $PATH: PATH is "/bin"'],
  ["text", 'exec: "text": permission denied: "/bin/text" is not executable for this user'],
  ["/bin/nope", 'exec: "/bin/nope": stat /bin/nope: no such file or directory'],
  [
    "/nodir/nope",
    'exec: "/nodir/nope": stat /nodir/nope: no such file or directory: ' +
    '"/nodir" is missing',
  ],
  [
    "/etc/passwd/x",
    'exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory: ' +
    '"/etc/passwd" is not a directory',
  ],
  ["/bin/circle", 'exec: "/bin/circle": stat /bin/circle: too many levels of symbolic links'],
  ["/bin", 'exec: "/bin": permission denied: it is a directory'],
  ["./bin", 'exec: "./bin": permission denied: it is a directory'],
  [
    "/bin/text",
    'exec: "/bin/text": permission denied: "/bin/text" is not executable for this user',
  ],
  [
    "/closed/tool",
    'exec: "/closed/tool": permission denied: "/closed" cannot be searched by this user',
  ],
  [
    "/mounted/true",
    'exec: "/mounted/true": permission denied: ' +
    '"/mounted/true" lies on a mount with the option noexec',
  ],
  [
    "mounted/true",
    'exec: "mounted/true": permission denied: ' +
    '"mounted/true" lies on a mount with the option noexec',
  ],
];

/** The kernel refuses these. */
const EXECUTED: readonly (readonly [string, string])[] = [
  [
    "/bin/crlf",
    'exec: "/bin/crlf": interpreter "/bin/sh\\r": no such file or directory: ' +
    "the first line of the script ends in CR LF; save it with Unix line ends",
  ],
  ["/bin/lost", 'exec: "/bin/lost": interpreter "/bin/nosuch": no such file or directory'],
  [
    "/bin/data",
    'exec: "/bin/data": permission denied: ' +
    `the interpreter "/etc/passwd" is not executable for this user, ${NOEXEC}`,
  ],
  [
    "/bin/self",
    'exec: "/bin/self": too many levels of symbolic links: ' +
    'the interpreter "/bin/self" needs others in turn, more than the kernel follows',
  ],
  [
    "/bin/dynamic",
    'exec: "/bin/dynamic": ELF loader "/lib/ld-nosuch.so.2": no such file or directory: ' +
    "the program is linked dynamically; its loader is not in the root filesystem",
  ],
  [
    "/bin/badly",
    'exec: "/bin/badly": permission denied: ' +
    `the ELF loader "/etc/passwd" is not executable for this user, ${NOEXEC}`,
  ],
  [
    "/bin/words",
    'exec: "/bin/words": exec format error: it is no ELF program and does not begin with #!',
  ],
  [
    "/bin/mark",
    'exec: "/bin/mark": exec format error: a byte order mark comes before #!; save it without one',
  ],
  [
    "/bin/empty",
    'exec: "/bin/empty": exec format error: the file is empty or cannot be read',
  ],
  [
    "/bin/foreign",
    'exec: "/bin/foreign": exec format error: it is an ELF program for aarch64',
  ],
  [
    "/bin/cut",
    'exec: "/bin/cut": exec format error: ' +
    `it is an ELF program for ${Deno.build.arch}, as this host is: it is damaged`,
  ],
];

/** Every one of them, with the place in the configuration that the message names. */
const ALL: readonly (readonly [program: string, message: string])[] = [
  ...SEARCHED.map(([program, message]) => [program, `process.args[0]: ${message}`] as const),
  ...EXECUTED.map(([program, message]) => [program, `process.args: ${message}`] as const),
];

function refusedTest(verb: string, body: () => Promise<void>): void {
  Deno.test({
    name: `${verb} tells apart why a program cannot be run`,
    ...RUNTS_ONLY, // the words are runts'
    fn: body,
  });
}

refusedTest("exec", () =>
  withSleeper(addPrograms, async (sleeper) => {
    for (const [program, message] of ALL) {
      assertEquals(await sleeper.exec([], [program]), {
        code: 255,
        stdout: "",
        stderr: `runts: exec "${sleeper.id}": ${message}\n`,
      });
    }
  }));

/** A container for every program, and what must be said of it. */
function eachProgram(
  verbs: string,
  check: (runtime: TestRuntime, id: string, bundle: Bundle, message: string) => Promise<void>,
): void {
  refusedTest(verbs, () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle();
      addPrograms(bundle.config, bundle);
      for (const [program, message] of ALL) {
        bundle.config.process.args = [program];
        bundle.save();
        await check(runtime, runtime.id(), bundle, message);
      }
    }));
}

for (const options of [["run"], ["run", "--detach"]]) {
  eachProgram(options.join(" "), async (runtime, id, bundle, message) => {
    const output = await runtime.run([...options, "--bundle", bundle.path, id]);
    const stderr = `runts: run "${id}": ${message}\n`;
    assertEquals(output, { code: 1, stdout: "", stderr });
  });
}

// A program that is not found fails create already, as with runc.
eachProgram("create or start", async (runtime, id, bundle, message) => {
  const searched = message.startsWith("process.args[0]");
  const created = await runtime.run(["create", "--bundle", bundle.path, id]);
  const failed = searched ? created : await runtime.run(["start", id]);
  const verb = searched ? "create" : "start";
  const stderr = `runts: ${verb} "${id}": ${message}\n`;
  assertEquals(failed, { code: 1, stdout: "", stderr });
  if (!searched) {
    assertEquals((await runtime.state(id)).status, "stopped");
    await runtime.ok(["delete", id]);
  }
});

Deno.test("exec says when arguments are too long", {
  ...RUNTS_ONLY, // the words are runts'
}, async () => {
  await withSleeper(() => {}, async (sleeper) => {
    const process = { cwd: "/", user: { uid: 0, gid: 0 }, env: ["PATH=/bin"] };
    const output = await sleeper.document({ ...process, args: ["true", "x".repeat(200_000)] });
    assertEquals(output, {
      code: 255,
      stdout: "",
      stderr: `runts: exec "${sleeper.id}": process.args: exec: "/bin/true": ` +
        "argument list too long\n",
    });
  });
});
