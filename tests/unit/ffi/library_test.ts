/** Loading the helper library from a copy of the project, as another project's script does. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { VERSION } from "../../../lib/base/version.ts";

const ROOT = fromFileUrl(new URL("../../../", import.meta.url));
const SCRIPT = `
import { loadHelper } from "./ffi/helper.ts";
try {
  const helper = await loadHelper();
  console.log("descriptor 0 is open:", helper.isOpenFd(0));
} catch (error) {
  console.log(error.message);
}
`;

/** A copy of what loading needs; what the script in it says. `FOLDER` in a variable is the copy. */
async function load(
  prepare: (folder: string) => void,
  env: Record<string, string> = {},
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "runts-library-" });
  try {
    const folders = ["lib/base", "lib/wire", "ffi"];
    for (const name of [...folders, "dist"]) {
      Deno.mkdirSync(`${folder}/${name}`, { recursive: true });
    }
    for (const name of folders) {
      for (const { name: file, isFile } of Deno.readDirSync(`${ROOT}${name}`)) {
        if (isFile) Deno.copyFileSync(`${ROOT}${name}/${file}`, `${folder}/${name}/${file}`);
      }
    }
    Deno.copyFileSync(`${ROOT}dist/librunts.so`, `${folder}/dist/librunts.so`);
    Deno.writeTextFileSync(`${folder}/script.ts`, SCRIPT);
    prepare(folder);
    const args = ["run", "-A", "--no-config", `${folder}/script.ts`];
    const variables = Object.entries(env).map(([name, value]) =>
      [name, value.replace("FOLDER", folder)] as const
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args,
      env: Object.fromEntries(variables),
      stderr: "inherit",
    }).output();
    return new TextDecoder().decode(stdout).trimEnd().replaceAll(folder, "FOLDER");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const LOADED = "descriptor 0 is open: true";

const remove = (folder: string) => Deno.removeSync(`${folder}/dist/librunts.so`);

/** Puts a program named `runts` into the folder. */
function install(folder: string, script: string): void {
  Deno.writeTextFileSync(`${folder}/runts`, `#!/bin/sh\n${script}`, { mode: 0o755 });
}

Deno.test("the library beside the sources is loaded", async () => {
  assertEquals(await load(() => {}), LOADED);
});

Deno.test("RUNTS_LIBRARY comes before the library beside the sources", async () => {
  const library = `${ROOT}dist/librunts.so`;
  assertEquals(await load(remove, { RUNTS_LIBRARY: library }), LOADED);
  assertEquals(
    await load(() => {}, { RUNTS_LIBRARY: "/none.so" }),
    'read the helper library "/none.so", which RUNTS_LIBRARY names: ENOENT (no such file or directory)',
  );
});

Deno.test("without either it is that of an installed executable of the same version", async () => {
  const say = (folder: string) => {
    remove(folder);
    install(folder, `[ "$*" = "library ${VERSION}" ] && cat ${ROOT}dist/librunts.so\n`);
  };
  assertEquals(await load(say, { PATH: "FOLDER:/bin:/usr/bin" }), LOADED);
  const refuse = (folder: string) => {
    remove(folder);
    install(folder, "echo 'runts: library: this is another' >&2; exit 1\n");
  };
  assertEquals(
    await load(refuse, { PATH: "FOLDER:/bin:/usr/bin" }),
    "find the helper library: RUNTS_LIBRARY is not set; " +
      "dist/librunts.so: ENOENT (no such file or directory); " +
      "runts in PATH: runts: library: this is another: run deno task build:c, or install runts",
  );
});

Deno.test("a library that is missing names all places, and how to make it", async () => {
  assertEquals(
    await load(remove, { PATH: "/none" }),
    "find the helper library: RUNTS_LIBRARY is not set; " +
      "dist/librunts.so: ENOENT (no such file or directory); " +
      "runts in PATH: ENOENT (no such file or directory): run deno task build:c, or install runts",
  );
});

Deno.test("a library that is damaged is refused", async () => {
  const said = await load((folder) => Deno.writeTextFileSync(`${folder}/dist/librunts.so`, "no"));
  assertEquals(
    said.replace(/: Could not open.*(?=: run)/, ": REASON"),
    "load the helper library: REASON: run deno task build:c",
  );
});

/** Exchanges two texts in a file. */
function swap(file: string, one: string, other: string): void {
  const text = Deno.readTextFileSync(file);
  const swapped = text.replace(one, "\0").replace(other, one).replace("\0", other);
  assertNotEquals(swapped, text);
  Deno.writeTextFileSync(file, swapped);
}

Deno.test("a library that was built from other tables is refused", async () => {
  const refused = "load the helper library: it was built from other sources: run deno task build:c";
  const cases: ((folder: string) => void)[] = [
    // Two operations; a library that took one for the other would exchange host and domain name.
    (folder) => swap(`${folder}/lib/wire/ops.ts`, "code: 17", "code: 18"),
    (folder) => swap(`${folder}/lib/wire/messages.ts`, "ready: 6", "executing: 7"),
    (folder) => swap(`${folder}/ffi/symbols.ts`, "termios: 64", "pollfd: 8"),
    (folder) => swap(`${folder}/ffi/net.ts`, '"u32"', '"buffer"'),
    (folder) => Deno.writeTextFileSync(`${folder}/lib/wire/new.ts`, ""),
  ];
  for (const change of cases) assertEquals(await load(change), refused);
});
