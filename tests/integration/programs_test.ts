/** exec and run of what cannot be executed: which of the many reasons it is. */

import { assertEquals } from "@std/assert";
import type { Bundle, Config } from "../support/bundle.ts";
import { PEER } from "../support/runtime.ts";
import { withSleeper } from "../support/seen.ts";
import { withRuntime } from "../support/host.ts";

/** Header of an ELF program for another machine. */
function foreignProgram(): Uint8Array {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.set([2, 0, 183, 0], 16); // ET_EXEC, aarch64
  return header;
}

function addPrograms(_: Config, bundle: Bundle): void {
  bundle.put("bin/text", "true\n");
  bundle.put("bin/crlf", "#!/bin/sh\r\ntrue\n", 0o755);
  bundle.put("bin/lost", "#!/bin/nosuch\n", 0o755);
  bundle.put("bin/empty", "", 0o755);
  Deno.writeFileSync(`${bundle.rootfs}/bin/foreign`, foreignProgram());
  Deno.chmodSync(`${bundle.rootfs}/bin/foreign`, 0o755);
  Deno.mkdirSync(`${bundle.rootfs}/closed`);
  bundle.put("closed/tool", "#!/bin/sh\n", 0o755);
  Deno.chmodSync(`${bundle.rootfs}/closed`, 0o700);
  Deno.chownSync(`${bundle.rootfs}/closed`, 77, 77);
}

/** Program, and what is said of it. The first is found out when it is looked for. */
const SEARCHED: readonly (readonly [string, string])[] = [
  ["nope", 'exec: "nope": executable file not found in $PATH: PATH is "/bin"'],
  ["/bin/nope", 'exec: "/bin/nope": stat /bin/nope: no such file or directory'],
  [
    "/nodir/nope",
    'exec: "/nodir/nope": stat /nodir/nope: no such file or directory: ' +
    '"/nodir" is missing or no directory',
  ],
  ["/bin", 'exec: "/bin": is a directory'],
  [
    "/bin/text",
    'exec: "/bin/text": permission denied: "/bin/text" is not executable for this user',
  ],
  [
    "/closed/tool",
    'exec: "/closed/tool": permission denied: "/closed" cannot be searched by this user',
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
    "/bin/empty",
    'exec: "/bin/empty": exec format error: the file is empty or cannot be read',
  ],
  [
    "/bin/foreign",
    'exec: "/bin/foreign": exec format error: it is an ELF program for aarch64',
  ],
];

Deno.test("exec tells apart why a program cannot be run", {
  ignore: PEER !== "runts", // the words are runts'
}, async () => {
  await withSleeper(addPrograms, async (sleeper) => {
    const failed = async (program: string, from: string, message: string) =>
      assertEquals(await sleeper.exec([], [program]), {
        code: 255,
        stdout: "",
        stderr: `runts: exec "${sleeper.id}": ${from}: ${message}\n`,
      });
    for (const [program, message] of SEARCHED) await failed(program, "process.args[0]", message);
    for (const [program, message] of EXECUTED) await failed(program, "process.args", message);
  });
});

Deno.test("run tells apart why a program cannot be run", {
  ignore: PEER !== "runts", // the words are runts'
}, async () => {
  await withRuntime(async (runtime) => {
    const failed = async (program: string, from: string, message: string) => {
      const { code, stdout, stderr } = await runtime.container((config, bundle) => {
        config.process.args = [program];
        addPrograms(config, bundle);
      });
      assertEquals({ code, stdout, stderr: stderr.replace(/"[^"]*"/, "ID") }, {
        code: 1,
        stdout: "",
        stderr: `runts: run ID: ${from}: ${message}\n`,
      });
    };
    for (const [program, message] of SEARCHED) await failed(program, "process.args[0]", message);
    for (const [program, message] of EXECUTED) await failed(program, "process.args", message);
  });
});
