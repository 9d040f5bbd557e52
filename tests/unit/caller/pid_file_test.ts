/** The pid file. */

import { assertEquals } from "@std/assert";
import { load } from "../../../lib/runtime/load.ts";
import { Runtime } from "../../../lib/runtime/runtime.ts";
import { writePidFile } from "../../../lib/caller/pid_file.ts";

const runtime = await load(new Runtime());

/** Runs the body with a directory that is removed afterwards. */
function inDirectory(body: (path: string) => void): void {
  const path = Deno.makeTempDirSync();
  try {
    body(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

Deno.test("a pid file is not written through a link that lies in wait", () =>
  inDirectory((path) => {
    Deno.writeTextFileSync(`${path}/victim`, "as before");
    Deno.symlinkSync(`${path}/victim`, `${path}/.pid.${Deno.pid}`);
    writePidFile(runtime, `${path}/pid`, 1234);
    assertEquals(Deno.readTextFileSync(`${path}/victim`), "as before");
    assertEquals(Deno.lstatSync(`${path}/pid`).isFile, true);
    assertEquals(Deno.readTextFileSync(`${path}/pid`), "1234");
    assertEquals([...Deno.readDirSync(path)].map(({ name }) => name).sort(), ["pid", "victim"]);
  }));

Deno.test("a pid file replaces a former one", () =>
  inDirectory((path) => {
    Deno.writeTextFileSync(`${path}/pid`, "1");
    writePidFile(runtime, `${path}/pid`, 22);
    assertEquals(Deno.readTextFileSync(`${path}/pid`), "22");
  }));
