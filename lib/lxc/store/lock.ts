/** The lock of a container's definition: LXC's own, so that its commands and those of runts wait for each other. */

import { ETIMEDOUT } from "../../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../../base/errors.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { canonicalPath } from "../place.ts";

/** How long another command may be at work on it, in ms. */
const LOCK_TIMEOUT = 60_000;

/** Takes it; disposing of it gives it up. */
export function lockDefinition(
  runtime: LoadedRuntime,
  lxcpath: string,
  name: string,
): Promise<Disposable> {
  return lockNamed(runtime, lxcpath, `.${name}`);
}

/** The lock of whoever looks whether a container's directory was made to its end, or makes it so. It is held briefly. */
export function lockClaim(runtime: LoadedRuntime, directory: string): Promise<Disposable> {
  const at = directory.lastIndexOf("/");
  return lockNamed(runtime, directory.slice(0, at), `claim.${directory.slice(at + 1)}`);
}

async function lockNamed(
  runtime: LoadedRuntime,
  lxcpath: string,
  file: string,
): Promise<Disposable> {
  const { helper, caller } = runtime;
  const directory = `${runDirectory(runtime)}/lxc/lock/${canonicalPath(lxcpath)}`;
  const path = `${directory}/${file}`;
  try {
    Deno.mkdirSync(directory, { recursive: true, mode: caller.masked(0o777) });
    const fd = await helper.lockBytes(path, LOCK_TIMEOUT);
    return { [Symbol.dispose]: () => helper.close(fd) };
  } catch (cause) {
    if (errnoOf(cause) !== ETIMEDOUT) {
      throw new RuntsError(`lock ${quote(path)}`, { cause });
    }
    const seconds = LOCK_TIMEOUT / 1000;
    throw new RuntsError(`another command has been at work on the container for ${seconds} s`);
  }
}

function runDirectory({ caller }: LoadedRuntime): string {
  if (caller.uid === 0) return "/run";
  return caller.variable("XDG_RUNTIME_DIR") ?? `${caller.variable("HOME") ?? ""}/.cache/lxc/run`;
}
