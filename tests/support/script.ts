/** Scripts that use mod.ts, in a directory and project of their own. */

import { Bundle } from "./bundle.ts";
import { TestRuntime, withRuntime } from "./host.ts";
import { command, type Output, PROJECT, RUNTS_ONLY } from "./runtime.ts";

/** The id of a container that a script makes. */
export const JOB = `t${Deno.pid}-job`;

/**
 * Runs a script in a project of its own; in it `runts` stands for the directory of this one, and `JOB`
 * for {@linkcode JOB}. `under`: the beginning of a command line that it is run by.
 */
export async function script(
  text: string,
  args: readonly string[],
  check = "--no-check",
  under: readonly string[] = [],
): Promise<Output> {
  const directory = Deno.makeTempDirSync({ prefix: "runts-script-" });
  try {
    // An import map that has none of our names, and an own strictness.
    Deno.writeTextFileSync(`${directory}/deno.json`, '{"imports":{"@std/assert":"./none.ts"}}');
    const body = text.replaceAll("./runts/mod.ts", `${PROJECT}/mod.ts`).replaceAll("JOB", JOB);
    Deno.writeTextFileSync(`${directory}/script.ts`, body);
    const line = [...under, Deno.execPath(), "run", "-A", check, "script.ts", ...args];
    return await command(line, { cwd: directory });
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
