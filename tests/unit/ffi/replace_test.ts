/** The signatures in ffi/replace.ts against c/helper/replace.h, and a process that becomes another. */

import { assertEquals } from "@std/assert";
import { REPLACE_SYMBOLS } from "../../../ffi/replace.ts";

const url = (path: string) => new URL(`../../../${path}`, import.meta.url);

Deno.test("every prototype is that of the header", () => {
  const header = Deno.readTextFileSync(url("c/helper/replace.h")).replace(/\s+/g, " ");
  const table = Deno.readTextFileSync(url("ffi/replace.ts"));
  for (const name of Object.keys(REPLACE_SYMBOLS)) {
    const prototype = new RegExp(`// (.*${name}\\(.*;)`).exec(table)?.[1] ?? "";
    assertEquals(header.includes(prototype) && prototype !== "", true, name);
  }
});

/** A script that becomes `path`, with a file in memory as descriptor 3. */
async function become(path: string): Promise<{ stdout: string; stderr: string }> {
  const script = `
    import { loadHelper } from ${JSON.stringify(url("ffi/helper.ts").href)};
    import { replaceProcess } from ${JSON.stringify(url("ffi/replace.ts").href)};
    const helper = await loadHelper();
    const listening = helper.memoryFile("runts-test");
    try {
      replaceProcess({
        path: ${JSON.stringify(path)},
        args: ["sh", "-c", "echo $$ $A; readlink /proc/$$/fd/3; echo /proc/$$/fd/[5-9]* /proc/$$/fd/??", ""],
        env: ["A=b c", "PATH=/usr/bin:/bin"],
        listening,
      });
    } catch (error) {
      console.error(error.message, helper.isOpenFd(listening));
    }`;
  const folder = Deno.makeTempDirSync({ prefix: "runts-replace-" });
  try {
    Deno.writeTextFileSync(`${folder}/become.ts`, script);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--unstable-raw-imports", `${folder}/become.ts`],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const { stdout, stderr } = await child.output();
    const text = (bytes: Uint8Array) =>
      new TextDecoder().decode(bytes).replaceAll(String(child.pid), "PID");
    return { stdout: text(stdout), stderr: text(stderr) };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("the program has the pid, the variables and the socket, and nothing else", async () => {
  const { stdout, stderr } = await become("/bin/sh");
  assertEquals(stderr, "");
  assertEquals(
    stdout,
    [
      "PID b c",
      "/memfd:runts-test (deleted)",
      "/proc/PID/fd/[5-9]* /proc/PID/fd/??", // the shell has the directory open, as 4
      "",
    ].join("\n"),
  );
});

Deno.test("where it cannot be executed, this process goes on", async () => {
  assertEquals(await become("/nonexistent"), {
    stdout: "",
    stderr: "execute /nonexistent: ENOENT (no such file or directory) true\n",
  });
});
