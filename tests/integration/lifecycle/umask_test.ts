/** Files that are made for the caller have the modes that its umask leaves. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, commandLine, RUNTS_ONLY } from "../../support/runtime.ts";

const UMASKS = ["000", "022", "027", "077"];

/** Runs a command with a umask. */
async function withUmask(runtime: TestRuntime, umask: string, args: string[]): Promise<void> {
  const line = commandLine(runtime.executable, ["--root", runtime.root, ...args]);
  const { code, stderr } = await command(["sh", "-c", `umask ${umask}; exec "$@"`, "sh", ...line]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
}

/** What others than the owner may do with a file. */
function modeOf(path: string): number {
  return Deno.statSync(path).mode! & 0o077;
}

Deno.test("a pid file gives nobody more than the umask does", () =>
  withRuntime(async (runtime) => {
    using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
    for (const umask of UMASKS) {
      const id = runtime.id();
      const file = `${bundle.path}/pid-${umask}`;
      await withUmask(runtime, umask, [
        ...["create", "--bundle", bundle.path, "--pid-file", file, id],
      ]);
      assertEquals(modeOf(file) & parseInt(umask, 8), 0, umask);
      await runtime.ok(["delete", "--force", id]);
    }
  }));

Deno.test({
  ...RUNTS_ONLY, // the others write where they are
  name: "a template and a log give nobody more than the umask does",
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle();
      for (const umask of UMASKS) {
        const [folder, log] = [`${bundle.path}/${umask}`, `${bundle.path}/log-${umask}`];
        Deno.mkdirSync(folder);
        await withUmask(runtime, umask, ["--log", log, "--debug", "spec", "--bundle", folder]);
        const wanted = 0o066 & ~parseInt(umask, 8);
        assertEquals(modeOf(`${folder}/config.json`), wanted, umask);
        assertEquals(modeOf(log), 0o044 & wanted, umask);
      }
    }),
});
