/** The directory of a container that is being made. Who makes it holds a file `partial` locked, as LXC does. */

import { EEXIST, ETIMEDOUT } from "../../base/errno.ts";
import { errnoOf, quote, RuntsError } from "../../base/errors.ts";
import { removeIfThere, statFile } from "../../base/files.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import { hostFiles, readConfig } from "../config/read.ts";
import { StoredFiles } from "./files.ts";
import { lockClaim } from "./lock.ts";

const PARTIAL = "partial";
/** Of the directory of a container, as LXC makes it. */
const DIRECTORY_MODE = 0o770;

/** A directory that nobody else will make. */
interface Claim extends Disposable {
  /** All is there. */
  done(): Promise<void>;
}

/** Makes the directory; what a command has left there that was killed goes first. */
export async function claimDirectory(runtime: LoadedRuntime, directory: string): Promise<Claim> {
  using _lock = await lockClaim(runtime, directory);
  if (!makeDirectory(directory)) {
    await refuseWhole(runtime, directory);
    await removeLeftover(runtime, directory);
    if (!makeDirectory(directory)) throw new RuntsError(`${quote(directory)} exists already`);
  }
  const file = `${directory}/${PARTIAL}`;
  const fd = await runtime.helper.lockBytes(file, 0);
  return {
    done: async () => {
      using _lock = await lockClaim(runtime, directory);
      removeIfThere(file);
    },
    [Symbol.dispose]: () => runtime.helper.close(fd),
  };
}

/** False: there is one already. */
function makeDirectory(directory: string): boolean {
  try {
    Deno.mkdirSync(directory, { mode: DIRECTORY_MODE });
    Deno.chmodSync(directory, DIRECTORY_MODE);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === EEXIST) return false;
    throw new RuntsError(`make ${quote(directory)}`, { cause });
  }
}

async function refuseWhole(runtime: LoadedRuntime, directory: string): Promise<void> {
  if (!await isWhole(runtime, directory)) return;
  throw new RuntsError("the container exists already", {
    cause: new Error(`there is ${quote(directory)}`),
  });
}

/** Removes what was not made to its end; false for a whole container. Throws RuntsError while somebody makes it. */
export async function removePartial(runtime: LoadedRuntime, directory: string): Promise<boolean> {
  using _lock = await lockClaim(runtime, directory);
  if (await isWhole(runtime, directory)) return false;
  await removeLeftover(runtime, directory);
  return true;
}

/** Whose ids it has, what there is of its configuration says. */
async function removeLeftover(runtime: LoadedRuntime, directory: string): Promise<void> {
  const file = `${directory}/config`;
  const source = statFile(file)?.isFile ? { file } : {};
  const { config } = await readConfig(source, hostFiles(runtime.files.read));
  await new StoredFiles(runtime, config).do({ kind: "remove", path: directory });
}

/** Throws RuntsError unless a container was made to its end. */
export async function refusePartial(
  runtime: LoadedRuntime,
  name: string,
  directory: string,
): Promise<void> {
  using _lock = await lockClaim(runtime, directory);
  if (await isWhole(runtime, directory)) return;
  throw new RuntsError(`container ${quote(name)} was not made to its end`, { hint: "destroy it" });
}

/**
 * Whether a directory was made to its end; false where whoever made it is gone. Throws RuntsError while
 * somebody makes it. For who holds the lock of claims.
 */
async function isWhole({ helper }: LoadedRuntime, directory: string): Promise<boolean> {
  const file = `${directory}/${PARTIAL}`;
  if (statFile(file) === undefined) return true;
  try {
    helper.close(await helper.lockBytes(file, 0));
    return false;
  } catch (cause) {
    if (errnoOf(cause) !== ETIMEDOUT) throw cause;
    throw new RuntsError("another command is making the container");
  }
}
