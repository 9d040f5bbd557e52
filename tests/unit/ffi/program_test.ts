/** The signature in ffi/program.ts against c/helper/program.h, and programs in namespaces of their own. */

import { assertEquals, assertRejects } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { type Program, PROGRAM_SYMBOLS, ProgramFlag, runProgram } from "../../../ffi/program.ts";
import { RuntsError } from "../../../lib/base/errors.ts";
import { assertPrototypes } from "../../support/prototypes.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(`../../../${path}`, import.meta.url));

Deno.test("every prototype and flag is that of the header", () => {
  assertPrototypes(Object.keys(PROGRAM_SYMBOLS), "program.h", "program.ts");
  const header = read("c/helper/program.h").replace(/\s+/g, " ");
  for (const [name, value] of Object.entries(ProgramFlag)) {
    assertEquals(header.includes(`PROGRAM_${name.toUpperCase()} = ${value},`), true, name);
  }
});

/** What a script writes into a file; it ends so. */
async function shown(script: string, more: Partial<Program> = {}): Promise<[string, unknown]> {
  const file = Deno.makeTempFileSync();
  Deno.chmodSync(file, 0o666);
  try {
    const args = ["sh", "-c", `exec > ${file}; ${script}`];
    const ending = await runProgram(await loadHelper(), {
      path: "/bin/sh",
      args,
      env: ["A=b c", "PATH=/usr/bin:/bin"],
      ...more,
    });
    return [Deno.readTextFileSync(file), ending];
  } finally {
    Deno.removeSync(file);
  }
}

Deno.test("a program has its arguments and environment, and how it ended is told", async () => {
  assertEquals(await shown('echo "$A"; exit 3'), ["b c\n", { code: 3, signal: 0, core: false }]);
  const [, killed] = await shown("kill -KILL $$");
  assertEquals(killed, { code: 0, signal: 9, core: false });
});

Deno.test("one in a user namespace is its root, once its maps are written", async () => {
  const [uid, gid] = [Deno.uid(), Deno.gid()];
  const [text] = await shown("id -u; id -g; readlink /proc/self/ns/user", {
    mounts: true,
    // deno-lint-ignore require-await
    async mapUsers(pid) {
      Deno.writeTextFileSync(`/proc/${pid}/uid_map`, `0 ${uid} 1\n`);
      Deno.writeTextFileSync(`/proc/${pid}/setgroups`, "deny");
      Deno.writeTextFileSync(`/proc/${pid}/gid_map`, `0 ${gid} 1\n`);
    },
  });
  const [first, second, namespace] = text.split("\n");
  assertEquals([first, second], ["0", "0"]);
  assertEquals(namespace === Deno.readLinkSync("/proc/self/ns/user"), false);
});

Deno.test("what cannot be executed, and maps that cannot be written, are errors", async () => {
  await assertRejects(
    () => shown("", { path: "/nonexistent" }),
    RuntsError,
    'execute "/nonexistent": ENOENT (no such file or directory)',
  );
  await assertRejects(
    () => shown("", { mapUsers: () => Promise.reject(new RuntsError("no maps")) }),
    RuntsError,
    "no maps",
  );
});

Deno.test("an aborted signal ends it, and is the reason", async () => {
  const helper = await loadHelper();
  const controller = new AbortController();
  const program = { path: "/bin/sleep", args: ["sleep", "60"], env: [] };
  const running = runProgram(helper, program, controller.signal);
  controller.abort("enough");
  assertEquals(await running.catch(String), "enough");
});
