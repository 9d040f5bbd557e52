import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import * as esbuild from "esbuild";
import { DT, Elf, PROGRAM_HEADER_SIZE } from "../../../tools/build/elf.ts";
import { link } from "../../../tools/build/link.ts";
import { assetMark, bundleVerb } from "../../../tools/build/link/chunks.ts";
import { Layout } from "../../../tools/build/link/image.ts";
import { BASE, prelink } from "../../../tools/build/prelink.ts";

const ENTRY = 'import { command } from "./lib/commands/show.ts";\n' +
  'import { runCommand } from "./lib/cli/run.ts";\n' +
  "export default (args) => runCommand(command, args);";

/** A project of the same shape as runts. */
const FILES: Record<string, string> = {
  "asset.bin": "twelve bytes",
  "lib/errors.ts": `export class Failure extends Error {}
    export let count = 0;
    export function increase() { count++; }`,
  "lib/twice.ts": "export const twice = (n: number) => 2 * n;",
  "lib/deep.ts": `import { count, Failure } from "./errors.ts";
    import { twice } from "./twice.ts";
    export function fail() { throw new Failure("deep " + count + " " + twice(4)); }`,
  "lib/bytes.ts": `import bytes from "../asset.bin" with { type: "bytes" };
    import { twice } from "./twice.ts";
    export const size = () => import.meta.url && twice(bytes.length) + new TextDecoder().decode(bytes);`,
  "lib/cli/run.ts": `import { count, Failure } from "../errors.ts";
    export async function runCommand(command: any, args: string[]) {
      try { return await command.run(args); }
      catch (error: any) { console.log(error instanceof Failure, error.message, count); return 3; }
    }`,
  "ffi/library_file.ts": "export const withLibraryFile = () => { throw new Error(); };",
  "ffi/build_id.ts": "export const isOurs = () => { throw new Error(); };",
  "lib/commands/library.ts": `import { isOurs } from "../../ffi/build_id.ts";
    import { withLibraryFile } from "../../ffi/library_file.ts";
    export const command = { run: async () => {
      console.log(await isOurs("0123"), await isOurs("123"));
      console.log(await withLibraryFile((path: string) => Deno.readTextFileSync(path)));
    } };`,
  "lib/commands/plain.ts": "export const command = { run: async () => 5 };",
  "lib/commands/name.ts": `declare const $runts: any;
    export const command = { run: async () => console.log($runts.calledAs) };`,
  "lib/commands/args.ts": `export const command = { run: async (args: string[]) => {
      console.log(JSON.stringify({ args, cwd: Deno.cwd(), home: Deno.env.get("HOME"),
        keep: Deno.env.get("KEEP"), deno: Deno.env.get("DENO_CONDITIONS") }));
    } };`,
  "lib/commands/show.ts": `import { increase } from "../errors.ts";
    export const command = { run: async () => {
      increase();
      console.log((await import("../bytes.ts")).size());
      (await import("../deep.ts")).fail();
    } };`,
};

function makeProject(): string {
  const root = Deno.makeTempDirSync({ prefix: "runts-link-" });
  for (const [path, text] of Object.entries(FILES)) {
    Deno.mkdirSync(join(root, path, ".."), { recursive: true });
    Deno.writeTextFileSync(join(root, path), text);
  }
  return root;
}

async function output(program: string, args: string[], options: Deno.CommandOptions = {}) {
  const { code, stdout, stderr } = await new Deno.Command(program, { ...options, args }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("bundleVerb keeps what is imported later out of the verb's own text", async () => {
  const root = makeProject();
  try {
    const bundle = await bundleVerb(ENTRY, root, { library: "", front: "" });
    assertEquals(bundle.assets, [join(root, "asset.bin")]);
    assert(!bundle.text.includes("deep "));
    const names = bundle.chunks.map((chunk) => chunk.name.replace(/-[A-Z0-9]+\.js$/, "")).sort();
    assertEquals(names, ["bytes", "chunk", "deep"]);
    const [deep] = bundle.chunks.filter((chunk) => chunk.name.startsWith("deep"));
    assertMatch(deep!.needs.join(), /^chunk-[A-Z0-9]+\.js$/);
    assert(bundle.chunks.some((chunk) => chunk.text.includes(assetMark(bundle.assets[0]!))));
  } finally {
    await esbuild.stop();
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("a linked executable runs its verbs and passes on what it was given", async (t) => {
  const root = makeProject();
  try {
    const program = join(root, "linked");
    const library = join(root, "asset.bin");
    const verbs = ["plain", "args", "show", "library", "name"];
    await link({ root, verbs, library, buildId: "0123" }, Deno.execPath(), program);
    await t.step("exit code", async () => {
      assertEquals(await output(program, ["plain"]), { code: 5, stdout: "", stderr: "" });
    });
    await t.step("one instance of each module, however it is imported", async () => {
      const stdout = "24twelve bytes\ntrue deep 1 8 1\n";
      assertEquals(await output(program, ["show"]), { code: 3, stdout, stderr: "" });
    });
    await t.step("the helper library is a file in memory, and known", async () => {
      const stdout = "true false\ntwelve bytes\n";
      assertEquals(await output(program, ["library"]), { code: 0, stdout, stderr: "" });
    });
    await t.step("arguments, working directory and environment", async () => {
      const env = { KEEP: "me", HOME: "/somewhere", DENO_CONDITIONS: "x", DENO_V8_FLAGS: "--no" };
      const { code, stdout, stderr } = await output(program, ["args", "--help", "", "é"], {
        cwd: root,
        clearEnv: true,
        env,
      });
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      const expected = { args: ["args", "--help", "", "é"], cwd: root, home: "/proc", keep: "me" };
      assertEquals(JSON.parse(stdout), expected);
    });
    await t.step("the name that it was called by", async () => {
      const { stdout } = await output("bash", ["-c", 'exec -a "./by another" "$0" name', program]);
      assertEquals(stdout, "./by another\n");
      assertEquals((await output(program, ["name"])).stdout, `${program}\n`);
    });
    await t.step("an unknown verb without a command that reports it", async () => {
      assertEquals(await output(program, ["nothing"]), { code: 1, stdout: "", stderr: "" });
    });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("link fails when a verb's source is missing, and leaves no executable", async () => {
  const root = makeProject();
  try {
    const program = join(root, "linked");
    await assertRejects(
      () =>
        link(
          { root, verbs: ["absent"], library: program, buildId: "" },
          Deno.execPath(),
          program,
        ),
      Error,
      "lib/commands/absent.ts",
    );
    assertThrows(() => Deno.statSync(program), Deno.errors.NotFound);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("Elf finds the place of a segment behind what is there", () => {
  const elf = new Elf(Deno.readFileSync(Deno.execPath()));
  const place = elf.placeFor(BigInt(elf.bytes.length));
  assertEquals(place.offset % 65536n, 0n);
  assertEquals(place.address % 65536n, 0n);
  assert(place.offset >= BigInt(elf.bytes.length));
  elf.enterAt(place, 4096n);
  assertEquals(elf.entry, place.address);
  assertThrows(() => elf.enterAt(place, 4096n), Error, "no PT_NOTE header");
});

Deno.test("without its interpreter an executable keeps a table that names it", () => {
  const elf = new Elf(Deno.readFileSync(Deno.execPath()));
  const types = (table: Uint8Array) => {
    const view = new DataView(table.buffer, table.byteOffset);
    const count = table.length / PROGRAM_HEADER_SIZE;
    return Array.from({ length: count }, (_, i) => view.getUint32(i * PROGRAM_HEADER_SIZE, true));
  };
  const own = () => elf.bytes.subarray(64, 64 + elf.headersLength);
  const before = types(own());
  assertMatch(elf.interpreter, /^\/lib.*\/ld-linux/);
  const table = elf.takeInterpreter(0x1234n);
  assertEquals(types(table), before);
  assertEquals(types(own()), before.map((type) => type === 3 ? 0 : type));
  const self = new DataView(table.buffer, before.indexOf(6) * PROGRAM_HEADER_SIZE);
  assertEquals([self.getBigUint64(16, true), self.getBigUint64(24, true)], [0x1234n, 0x1234n]);
  assertThrows(() => elf.interpreter, Error, "the executable has no segment of type 3");
});

Deno.test("prelink leaves no relative relocation and moves what is left", () => {
  const elf = new Elf(Deno.readFileSync(Deno.execPath()));
  const entry = elf.entry;
  const before = elf.relocations(DT.RELA, DT.RELASZ);
  const relative = Number(elf.dynamicEntry(DT.RELACOUNT).value);
  const { address, addend } = before[0]!;
  prelink(elf);
  const after = elf.relocations(DT.RELA, DT.RELASZ);
  assertEquals(after.length, before.length - relative);
  assertEquals(elf.dynamicEntry(DT.RELACOUNT).value, 0n);
  assertEquals(elf.entry, entry + BASE);
  assertEquals(elf.word(elf.offsetOf(address + BASE)), addend + BASE);
  assertThrows(() => new Elf(elf.bytes), Error, "not a position-independent");
});

Deno.test("Elf refuses what is no executable of its kind", () => {
  const message = "not a position-independent 64-bit little-endian ELF executable";
  for (const bytes of [new Uint8Array(0), new Uint8Array(200), new TextEncoder().encode("#!/x")]) {
    assertThrows(() => new Elf(bytes), Error, message);
  }
});

Deno.test("Layout puts pieces one behind the other", () => {
  const layout = new Layout(1000);
  assertEquals(layout.add(new Uint8Array(5)), [1000, 5]);
  assertEquals(layout.add(new Uint8Array(0)), [1005, 0]);
  assertEquals(layout.add(new Uint8Array(7)), [1005, 7]);
  assertEquals(layout.end, 1012);
});
