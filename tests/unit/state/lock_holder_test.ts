/** Whose lock it is that one of our ancestors holds. */

import { assertEquals } from "@std/assert";
import { ProcessCaller } from "../../../lib/runtime/process_caller.ts";
import { holderWaiting } from "../../../lib/state/lock_holder.ts";
import { readStat, readStatIn } from "../../../lib/state/liveness.ts";

const CALLER = new ProcessCaller();

Deno.test("readStat names the parent", () => {
  assertEquals(readStat(Deno.pid)?.parent, Deno.ppid);
  assertEquals(readStatIn("/proc/self")?.parent, Deno.ppid);
});

/** What a process below us, and below a shell, finds out about the file. */
async function seenBelow(path: string): Promise<string> {
  const module = (path: string) => new URL(`../../../lib/${path}`, import.meta.url).href;
  const code = `import { holderWaiting } from "${module("state/lock_holder.ts")}";
    import { ProcessCaller } from "${module("runtime/process_caller.ts")}";
    console.log(holderWaiting(new ProcessCaller(), Deno.args[0]))`;
  const file = `${path}.ts`;
  Deno.writeTextFileSync(file, code);
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", '"$@"; exit', "sh", Deno.execPath(), "run", "-A", "--no-check", file, path],
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("the ancestor that holds a lock is found, and nobody else", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "runts-lock-" });
  try {
    const path = `${folder}/lock`;
    assertEquals(holderWaiting(CALLER, path), undefined);
    using file = Deno.openSync(path, { write: true, create: true });
    assertEquals(await seenBelow(path), "undefined");
    file.lockSync(true);
    assertEquals(holderWaiting(CALLER, path), undefined);
    assertEquals(await seenBelow(path), String(Deno.pid));
    Deno.linkSync(path, `${folder}/other`);
    assertEquals(await seenBelow(`${folder}/other`), String(Deno.pid));
    Deno.writeTextFileSync(`${folder}/another`, "");
    assertEquals(await seenBelow(`${folder}/another`), "undefined");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
