/** Attacks by a root filesystem or a container: what each of their tests needs. */

import { assert, assertEquals } from "@std/assert";
import { Bundle, type Config } from "./bundle.ts";
import { type TestRuntime, withRuntime } from "./host.ts";
import { PEER } from "./runtime.ts";

/** A directory of the host that no container may touch. */
class Outside implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "runts-outside-" });

  constructor() {
    Deno.mkdirSync(`${this.path}/directory`);
    Deno.writeTextFileSync(`${this.path}/secret`, "secret\n");
  }

  assertUntouched(): void {
    assertEquals([...Deno.readDirSync(this.path)].map(({ name }) => name).sort(), [
      "directory",
      "secret",
    ]);
    assertEquals([...Deno.readDirSync(`${this.path}/directory`)], []);
    assertEquals(Deno.readTextFileSync(`${this.path}/secret`), "secret\n");
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

export interface Attack {
  readonly runtime: TestRuntime;
  readonly bundle: Bundle;
  readonly outside: Outside;
}

/** A test with a bundle to spoil and a directory to protect, which is looked at afterwards. */
export function attack(name: string, body: (attack: Attack) => Promise<void>): void {
  Deno.test({
    name: `hostile: ${name}`,
    ignore: PEER !== "runts",
    fn: () =>
      withRuntime(async (runtime) => {
        using outside = new Outside();
        using bundle = new Bundle((config) => config.root.readonly = false);
        await body({ runtime, bundle, outside });
        outside.assertUntouched();
      }),
  });
}

/** What `run` prints; the program is a shell script. */
export async function run({ runtime, bundle }: Attack, script: string): Promise<string> {
  bundle.config.process.args = ["sh", "-c", script];
  bundle.save();
  return await runtime.ok(["run", "--bundle", bundle.path, runtime.id()]);
}

/** The message of a `run` that is refused. */
export async function refused({ runtime, bundle, outside }: Attack): Promise<string> {
  bundle.save();
  const id = runtime.id();
  const { code, stdout, stderr } = await runtime.run(["run", "--bundle", bundle.path, id]);
  assertEquals({ code, stdout }, { code: 1, stdout: "" }, stderr);
  const prefix = `runts: run "${id}": `;
  assert(stderr.startsWith(prefix), stderr);
  return stderr.slice(prefix.length).trimEnd().replaceAll(bundle.path, "BUNDLE")
    .replaceAll(outside.path, "OUTSIDE");
}

/** An entry of `mounts`. */
export const tmpfs = (destination: string): Config => ({
  destination,
  type: "tmpfs",
  source: "tmpfs",
});
