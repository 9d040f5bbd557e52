/** Loading the helper library from a copy of the project, as another project's script does. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

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

/** A copy of what loading needs; what the script in it says, started with these flags. */
async function load(
  prepare: (folder: string) => void,
  flags: readonly string[] = ["--no-config"],
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
    const args = ["run", "-A", ...flags, `${folder}/script.ts`];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" })
      .output();
    return new TextDecoder().decode(stdout).trimEnd().replaceAll(folder, "FOLDER");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the library loads with imports of bytes and without", async () => {
  const expected = "descriptor 0 is open: true";
  assertEquals(await load(() => {}), expected);
  assertEquals(await load(() => {}, ["--no-config", "--unstable-raw-imports"]), expected);
});

Deno.test("a library that is missing says how to make it", async () => {
  const reasons = {
    "--no-lock": "ENOENT (no such file or directory)",
    "--unstable-raw-imports": "it is not there",
  };
  for (const [flag, reason] of Object.entries(reasons)) {
    const remove = (folder: string) => Deno.removeSync(`${folder}/dist/librunts.so`);
    assertEquals(
      await load(remove, ["--no-config", flag]),
      `read the helper library "dist/librunts.so": ${reason}: run deno task build:c`,
    );
  }
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
