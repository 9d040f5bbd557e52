/** Tests of an ordinary user's containers: what they share. */

import { assertEquals } from "@std/assert";
import type { Bundle, Config } from "./bundle.ts";
import { withRuntime } from "./host.ts";
import { type Output, PEER } from "./runtime.ts";
import { OrdinaryUser } from "./user.ts";

/** A test with an ordinary user; nothing may stay behind. */
export function rootless(
  name: string,
  fn: (user: OrdinaryUser) => Promise<void>,
  { ignore = false }: { ignore?: boolean } = {},
): void {
  Deno.test({
    name: `rootless: ${name}`,
    ignore,
    fn: () =>
      withRuntime(async () => {
        using user = new OrdinaryUser();
        await fn(user);
        assertEquals(user.containers(), []);
      }),
  });
}

/** Messages, and what runts alone does. */
export const OURS = { ignore: PEER !== "runts" };

/** Runs a script in the container. */
export function shell(script: string): (config: Config) => void {
  return (config) => config.process.args = ["sh", "-c", script];
}

/** Lines, with runs of blanks as one. */
export function lines(text: string): string[] {
  return text.trim().split("\n").map((line) => line.trim().replace(/\s+/g, " "));
}

/** Shows the id maps of the container. */
export const MAPS = "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups";

/** The whole message of a container that is refused. */
export function refused(
  name: string,
  edit: (config: Config, user: OrdinaryUser) => void,
  message: string | ((user: OrdinaryUser) => string),
  { prepare, env = {} }: {
    prepare?: (user: OrdinaryUser) => void;
    env?: Record<string, string>;
  } = {},
): void {
  rootless(`${name} is refused`, async (user) => {
    prepare?.(user);
    const output = await user.container((config) => edit(config, user), { env });
    const text = typeof message === "string" ? message : message(user);
    assertEquals(output, { code: 1, stdout: "", stderr: `runts: run "ID": ${text}\n` });
  }, OURS);
}

/** Runs a container in the background, and deletes it afterwards. */
export async function withDetached(
  user: OrdinaryUser,
  edit: (config: Config) => void,
  body: (name: string) => Promise<void>,
): Promise<void> {
  using bundle = await user.bundle(edit);
  const name = user.name();
  const { code, stderr } = await user.run(["run", "--detach", "--bundle", bundle.path, name]);
  assertEquals(code, 0, stderr);
  try {
    await body(name);
  } finally {
    const deleted = await user.run(["delete", "--force", name]);
    assertEquals(deleted.code, 0, deleted.stderr);
  }
}

/** Runs a bundle on a terminal; the end of script's own input is echoed as "^@". */
export async function onTerminal(user: OrdinaryUser, bundle: Bundle): Promise<Output> {
  const line = `${user.runtime} run --bundle ${bundle.path} ${user.name()}`;
  const output = await user.command(["script", "-qec", line, "/dev/null"]);
  return { ...output, stdout: output.stdout.replaceAll("^@", "") };
}
