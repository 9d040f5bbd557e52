/** Copies of how processes ended, on a file system that outlives a reboot: DIR/ID/NAME/exit.json. */

import { quote, reason, RuntsError } from "../base/errors.ts";
import { statFile } from "../base/files.ts";
import { processDirectory, processNames } from "./places.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { StateDirectory } from "../state/directory.ts";
import type { Supervised } from "../state/supervised.ts";

/** Throws where nothing could be kept. */
export function checkPersist(path: string): void {
  try {
    Deno.removeSync(Deno.makeTempDirSync({ dir: path, prefix: ".runts-" }));
  } catch (cause) {
    throw new RuntsError(`keep how processes end in ${quote(path)}`, { cause });
  }
}

/** Copies what is not there yet, if there is a place for it. What goes wrong is a warning. */
export async function persist(
  runtime: Pick<Runtime, "warn">,
  directory: StateDirectory,
  { persist }: Pick<Supervised, "persist">,
): Promise<void> {
  if (persist === undefined) return;
  for (const name of processNames(directory)) {
    try {
      await copy(
        `${processDirectory(directory, name)}/exit.json`,
        `${persist}/${directory.id}/${name}`,
      );
    } catch (error) {
      runtime.warn(`keep how ${JSON.stringify(name)} ended: ${reason(error)}`);
    }
  }
}

async function copy(from: string, folder: string): Promise<void> {
  const ended = statFile(from)?.mtime;
  const to = `${folder}/exit.json`;
  if (!ended || (statFile(to)?.mtime ?? 0) >= ended) return;
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = `${folder}/.exit.json.new`;
  {
    using file = Deno.openSync(temporary, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o644,
    });
    const bytes = Deno.readFileSync(from);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
    await file.sync();
  }
  Deno.renameSync(temporary, to);
  using directory = Deno.openSync(folder);
  await directory.sync();
}
