/** The library as somebody has it who has installed the executable, and loads the rest from elsewhere. */

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { HELPER } from "../../../tools/support/paths.ts";
import { VERSION } from "../../../lib/base/version.ts";
import { command, PROJECT, RUNTIME } from "../../support/runtime.ts";
import { libraryTest } from "../../support/script.ts";

/** Serves the files that are published, and nothing that the build has made. */
function serve(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const path = fromFileUrl(`file://${new URL(request.url).pathname}`);
    if (!/^\/(mod\.ts|(lib|ffi)\/.*\.ts)$/.test(path)) return new Response(null, { status: 404 });
    const headers = { "content-type": "application/typescript" };
    return new Response(await Deno.readFile(`${PROJECT}${path}`), { headers });
  });
}

libraryTest(
  "a script that is loaded over the network needs only runts",
  async (runtime, bundle) => {
    await using server = serve();
    bundle.config.process.args = ["sh", "-c", "echo from afar"];
    bundle.save();
    const url = `http://127.0.0.1:${server.addr.port}/mod.ts`;
    Deno.writeTextFileSync(
      `${bundle.path}/script.ts`,
      `import { Container, isRuntsError } from "${url}";
     const [root, id, bundle] = Deno.args;
     try {
       await using box = await Container.create({ root, id, bundle, stdin: "null", stdout: "piped" });
       await box.start();
       console.log((await box.stdout.text()).trim());
     } catch (error) {
       console.log(isRuntsError(error), error.message);
     }`,
    );
    Deno.mkdirSync(`${bundle.path}/installed`);
    Deno.symlinkSync(RUNTIME, `${bundle.path}/installed/runts`);
    const id = runtime.id();
    const said = (path: string) =>
      command(
        [
          ...["env", `PATH=${path}`, `DENO_DIR=${bundle.path}/cache`],
          ...[Deno.execPath(), "run", "-A", "--no-check", "--quiet", "script.ts"],
          ...[runtime.root, id, bundle.path],
        ],
        { cwd: bundle.path },
      );
    assertEquals(await said(`${bundle.path}/installed:/bin:/usr/bin`), {
      code: 0,
      stdout: "from afar\n",
      stderr: "",
    });
    assertEquals(await said("/bin:/usr/bin"), {
      code: 0,
      stdout: `true create "${id}": read "${bundle.path}/config.json": ` +
        "find the helper library: RUNTS_LIBRARY is not set; " +
        "dist/librunts.so: the sources are not files; " +
        "runts in PATH: ENOENT (no such file or directory): run deno task build:c, or install runts\n",
      stderr: "",
    });
  },
);

libraryTest("the executable gives its library to scripts of its version", async (runtime) => {
  const file = `${runtime.root}/.library`;
  const { code } = await command(["sh", "-c", `"$0" library ${VERSION} > "$1"`, RUNTIME, file]);
  assertEquals(code, 0);
  assertEquals(Deno.readFileSync(file), Deno.readFileSync(HELPER));
  Deno.removeSync(file);
  assertEquals(await runtime.run(["library", "0.0.1"]), {
    code: 1,
    stdout: "",
    stderr: `runts: library: this is runts ${VERSION}, not "0.0.1"\n`,
  });
});
