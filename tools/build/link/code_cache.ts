/**
 * Fills V8's code cache for the linked executable: functions that were parsed and compiled once,
 * here, are read from it by every command. Deno keeps it in a database, by the script's name.
 */

import { DatabaseSync } from "node:sqlite";
import { join } from "@std/path";
import { DATABASE } from "./install.ts";

/** A script as the executable will compile it. */
export interface Script {
  specifier: string;
  source: string;
}

const COMPILE = `const { core } = Deno[Deno.internal];
for (const { specifier, source } of JSON.parse(Deno.readTextFileSync(Deno.args[0]))) {
  const [, error] = core.evalContext(source, specifier);
  if (error !== null) throw error.thrown;
}
`;

/** What Deno says for each script whose code was taken from the cache. */
const HIT = /V8 code cache hit for (?:script|ES module): file:\/\/(\S+),/g;

/**
 * Gives the database.
 *
 * @param command how Deno is started, up to the name of the script
 * @param environment its variables, without DENO_DIR
 * @param main the main module, and the descriptor's path that it will be started by
 */
export async function makeCodeCache(
  command: readonly string[],
  environment: readonly string[],
  scripts: readonly Script[],
  main: { text: string; path: string },
): Promise<Uint8Array> {
  const directory = await Deno.makeTempDir({ prefix: "runts-code-" });
  try {
    const file = (name: string) => join(directory, name);
    await Deno.writeTextFile(file("main.js"), main.text);
    await Deno.writeTextFile(file("compile.js"), COMPILE);
    await Deno.writeTextFile(file("scripts.json"), JSON.stringify(scripts));
    const env = Object.fromEntries(environment.map((word) => splitAt(word, word.indexOf("="))));
    const fd = main.path.slice(main.path.lastIndexOf("/") + 1);
    const open = ["-c", `exec ${fd}<"$0" && exec "$@"`, file("main.js")];
    const compile = async (log: string) => {
      const variables = { ...env, DENO_DIR: file("cache"), DENO_LOG: log };
      const run = (...args: string[]) =>
        errorOutput("bash", [...open, ...command, ...args], variables);
      return await run(file("compile.js"), file("scripts.json")) + await run(main.path);
    };
    await compile("warn");
    const hits = [...(await compile("debug")).matchAll(HIT)].map((match) => match[1]!);
    const missed = [...scripts.map((script) => script.specifier.slice("file://".length)), main.path]
      .filter((path) => !hits.includes(path));
    if (missed.length > 0) throw new Error(`Deno does not find the code of ${missed.join(", ")}`);
    compact(join(file("cache"), DATABASE), file("compile.js"));
    return await Deno.readFile(join(file("cache"), DATABASE));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function splitAt(word: string, at: number): [string, string] {
  return [word.slice(0, at), word.slice(at + 1)];
}

/** Runs a program that must succeed; gives what it wrote to its standard error. */
async function errorOutput(
  program: string,
  args: string[],
  env: Record<string, string>,
): Promise<string> {
  const options = { args, env, clearEnv: true, stdout: "null", stderr: "piped" } as const;
  const { success, stderr } = await new Deno.Command(program, options).output();
  const said = new TextDecoder().decode(stderr);
  if (!success) throw new Error(`compiling for the code cache failed: ${said.trim()}`);
  return said;
}

/** Moves what is in the log into the database's one file, and drops what no command needs. */
function compact(path: string, compiler: string): void {
  const database = new DatabaseSync(path);
  database.prepare("DELETE FROM codecache WHERE specifier = ?").run(`file://${compiler}`);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}
