/** `lxc cgroup`: the files of a container's cgroups. */

import { quote, reason, RuntsError } from "../../base/errors.ts";
import { statFile } from "../../base/files.ts";
import { writeFile } from "../../cgroup/files.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { recordedCgroup } from "../../state/cgroup.ts";
import { StateDirectory } from "../../state/directory.ts";
import { inspectIfRecorded } from "../../state/inspect.ts";
import { systemNow } from "./state.ts";

/** Path of a file, as `memory.max`, in the cgroups of a container that runs. */
function cgroupFile(runtime: Runtime, id: string, file: string): string {
  if (systemNow(runtime, id).pid === undefined) throw new RuntsError("the container does not run");
  if (file.includes("/")) throw new RuntsError(`${quote(file)} is not the name of a cgroup file`);
  const found = inspectIfRecorded(new StateDirectory(runtime, id));
  const { paths } = recordedCgroup(runtime, found!.status);
  const controller = file.slice(0, Math.max(0, file.indexOf(".")));
  const places = [paths[controller], paths[""], ...Object.values(paths)];
  const directory = places.find((one) =>
    one !== undefined && statFile(`${one}/${file}`) !== undefined
  );
  if (directory === undefined) throw new RuntsError(`there is no cgroup file ${quote(file)}`);
  return `${directory}/${file}`;
}

/** What a file says. */
export function readCgroup(runtime: Runtime, id: string, file: string): string {
  const path = cgroupFile(runtime, id, file);
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    throw new RuntsError(`read ${quote(path)}`, { cause: new Error(reason(cause)) });
  }
}

/** Writes to a file. */
export function writeCgroup(runtime: Runtime, id: string, file: string, value: string): void {
  writeFile(cgroupFile(runtime, id, file), value);
}
