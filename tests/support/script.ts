/** Scripts that use mod.ts, in a directory and project of their own. */

import { Bundle } from "./bundle.ts";
import { TestRuntime, withRuntime } from "./host.ts";
import { command, type Output, PROJECT, RUNTS_ONLY } from "./runtime.ts";

const CONFIG: { exports: Record<string, string> } = JSON.parse(
  Deno.readTextFileSync(`${PROJECT}/deno.json`),
);

/** The id of a container that a script makes. */
export const JOB = `t${Deno.pid}-job`;

/** What Deno says is compared: without colours. */
export const PLAIN = { NO_COLOR: "1" };

/** Options for standard streams that nobody reads. */
export const QUIET = 'stdin: "null", stdout: "null", stderr: "null"';

/** The entries of the library by the names that scripts import. */
const ENTRIES = Object.fromEntries(
  Object.entries(CONFIG.exports).map(([name, file]) =>
    [`@runts/runts${name.slice(1)}`, `${PROJECT}/${file}`] as const
  ),
);

/**
 * Runs a script in a project of its own; in it `JOB` stands for {@linkcode JOB}. `under`: the beginning of
 * a command line that it is run by.
 */
export async function script(
  text: string,
  args: readonly string[],
  check = "--no-check",
  under: readonly string[] = [],
): Promise<Output> {
  const directory = Deno.makeTempDirSync({ prefix: "runts-script-" });
  try {
    // An import map that has none of our own names, and an own strictness.
    const imports = { ...ENTRIES, "@std/assert": "./none.ts" };
    Deno.writeTextFileSync(`${directory}/deno.json`, JSON.stringify({ imports }));
    Deno.writeTextFileSync(`${directory}/script.ts`, text.replaceAll("JOB", JOB));
    const line = [...under, Deno.execPath(), "run", "-A", check, "script.ts", ...args];
    return await command(line, { cwd: directory, env: PLAIN });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** A test of the library that looks at the host afterwards. */
export function libraryTest(
  name: string,
  body: (runtime: TestRuntime, bundle: Bundle) => Promise<void>,
): void {
  Deno.test({
    name,
    ...RUNTS_ONLY,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle();
        await body(runtime, bundle);
      }),
  });
}
