/** The linked executable's code cache: where it is put, and when it is trusted. */

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { link } from "../../../tools/build/link.ts";

/** Verbs that say where Deno looks for code; `create` fails where it is told to. */
const FILES: Record<string, string> = {
  "lib/cli/run.ts": "export const runCommand = (command, args) => command.run(args);",
  "lib/where.ts": 'export const where = () => console.log(Deno.env.get("DENO_DIR"));',
  "lib/commands/create.ts": `export const command = { run: async (args) => {
      (await import("../where.ts")).where();
      return args.includes("--fail") ? 1 : 0;
    } };`,
  "lib/commands/exec.ts": `import { where } from "../where.ts";
    export const command = { run: async () => { where(); return 0; } };`,
  "lib/commands/state.ts": `import { where } from "../where.ts";
    export const command = { run: async () => { where(); return 0; } };`,
};

const NOT_USED = "/dev/null/deno";

function makeProgram(): Promise<{ directory: string; program: string }> {
  const directory = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "runts-code-" }));
  for (const [path, text] of Object.entries(FILES)) {
    Deno.mkdirSync(join(directory, path, ".."), { recursive: true });
    Deno.writeTextFileSync(join(directory, path), text);
  }
  const program = join(directory, "linked");
  const sources = {
    root: directory,
    verbs: ["create", "exec", "state"],
    library: join(directory, "lib/where.ts"),
    buildId: "",
  };
  return link(sources, Deno.execPath(), program).then(() => ({ directory, program }));
}

Deno.test("the code cache is put into a state root that is the caller's alone", async (t) => {
  const { directory, program } = await makeProgram();
  let roots = 0;
  const newRoot = (mode = 0o700) => {
    const root = join(directory, `root${roots++}`);
    Deno.mkdirSync(root);
    Deno.chmodSync(root, mode);
    return root;
  };
  /** Runs the program; gives the code and where Deno looked. */
  const run = async (args: string[], options: Deno.CommandOptions = {}) => {
    const output = await new Deno.Command(program, { ...options, args }).output();
    const decoder = new TextDecoder();
    assertEquals(decoder.decode(output.stderr), "");
    return { code: output.code, used: decoder.decode(output.stdout).trim() };
  };
  const names = (path: string) => [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
  try {
    await t.step("by the first command that makes a container, for those to come", async () => {
      const root = newRoot();
      assertEquals(await run(["--root", root, "create"]), { code: 0, used: NOT_USED });
      const [name] = names(`${root}/.code`);
      assertMatch(name!, /^[0-9a-f]{16}$/);
      const cache = `${root}/.code/${name}`;
      assertEquals(names(cache).filter((one) => one.startsWith("v8_")), ["v8_code_cache_v2"]);
      assertEquals(Deno.statSync(cache).mode! & 0o777, 0o700);
      const expected = { code: 0, used: cache };
      assertEquals(await run(["--root", root, "create"]), expected);
      assertEquals(await run([`--root=${root}`, "state"]), expected);
      assertEquals(await run(["state", "-root", root]), expected);
      assertEquals(await run(["state", "--root", "."], { cwd: root }), expected);
      assertEquals(names(`${root}/.code`), [name]);
    });
    await t.step("through a link to the root", async () => {
      const root = newRoot();
      const other = join(directory, "link");
      Deno.symlinkSync(root, other);
      await run(["--root", other, "create"]);
      assertMatch((await run(["--root", other, "state"])).used, new RegExp(`^${root}/\\.code/`));
    });
    await t.step("in the place of another version's", async () => {
      const root = newRoot();
      Deno.mkdirSync(`${root}/.code`, { mode: 0o700 });
      Deno.mkdirSync(`${root}/.code/0123456789abcdef`);
      await run(["--root", root, "create"]);
      assertEquals(names(`${root}/.code`).length, 1);
      assertEquals(names(`${root}/.code`).includes("0123456789abcdef"), false);
    });
    await t.step("in the place of one that is unfinished or open to others", async () => {
      const root = newRoot();
      await run(["--root", root, "create"]);
      const [name] = names(`${root}/.code`);
      const cache = `${root}/.code/${name}`;
      Deno.mkdirSync(`${cache}.123`);
      Deno.chmodSync(cache, 0o755);
      Deno.removeSync(`${cache}/v8_code_cache_v2`);
      assertEquals(await run(["--root", root, "create"]), { code: 0, used: NOT_USED });
      assertEquals(names(`${root}/.code`), [name]);
      assertEquals(await run(["--root", root, "state"]), { code: 0, used: cache });
    });
    await t.step("not where the words of a program name a directory", async () => {
      const root = newRoot();
      await run(["--root", root, "create"]);
      const { used } = await run(["--root", root, "exec"]);
      assertEquals(used.startsWith(root), true, used);
      for (const words of [["web", "sh", "--root", root], ["web", "sh", `--root=${root}`]]) {
        assertEquals((await run(["exec", ...words])).used.startsWith(root), false);
        assertEquals(await run(["--root", root, "exec", ...words]), { code: 0, used });
      }
    });
    await t.step("not through a link, or a directory that others can write to", async () => {
      const root = newRoot();
      const target = newRoot();
      Deno.symlinkSync(target, `${root}/.code`);
      assertEquals(await run(["--root", root, "create"]), { code: 0, used: NOT_USED });
      assertEquals(names(target), []);
      Deno.removeSync(`${root}/.code`);
      Deno.mkdirSync(`${root}/.code`);
      Deno.chmodSync(`${root}/.code`, 0o777);
      assertEquals(await run(["--root", root, "create"]), { code: 0, used: NOT_USED });
      assertEquals(names(`${root}/.code`), []);
    });
    await t.step("not by a command that makes nothing, or that failed", async () => {
      const root = newRoot();
      assertEquals(await run(["--root", root, "state"]), { code: 0, used: NOT_USED });
      assertEquals(await run(["--root", root, "create", "--fail"]), { code: 1, used: NOT_USED });
      assertEquals(names(root), []);
      const missing = join(directory, "missing");
      assertEquals(await run(["--root", missing, "create"]), { code: 0, used: NOT_USED });
    });
    await t.step("not where others can write", async () => {
      for (const mode of [0o770, 0o707, 0o1777]) {
        const root = newRoot(mode);
        assertEquals(await run(["--root", root, "create"]), { code: 0, used: NOT_USED });
        assertEquals(names(root), []);
      }
    });
    await t.step("and not used once others could have written it", async () => {
      const above = newRoot();
      const root = join(above, "root");
      Deno.mkdirSync(root, { mode: 0o700 });
      await run(["--root", root, "create"]);
      const { used } = await run(["--root", root, "state"]);
      for (const path of [used, join(used, ".."), root, above]) {
        const { mode } = Deno.statSync(path);
        Deno.chmodSync(path, 0o777);
        assertEquals(await run(["--root", root, "state"]), { code: 0, used: NOT_USED }, path);
        Deno.chmodSync(path, mode! & 0o777);
      }
      assertEquals(await run(["--root", root, "state"]), { code: 0, used });
    });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
