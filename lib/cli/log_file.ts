/** Log files whose path is not UTF-8, which Deno cannot open by it (lib/base/bytes.ts). */

import { loadHelper } from "../../ffi/helper.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { O_APPEND, O_CREAT, O_WRONLY } from "../base/linux.ts";
import { quote, RuntsError } from "../base/errors.ts";

/** @param file the path from where the caller is */
export async function openLogFile(path: string, file: string, mode: number): Promise<Deno.FsFile> {
  const helper = await loadHelper();
  try {
    const fd = helper.open(file, O_WRONLY | O_CREAT | O_APPEND, mode);
    const opened = Deno.openSync(ownDescriptor(fd), { append: true });
    helper.close(fd);
    return opened;
  } catch (cause) {
    throw new RuntsError(`open log file ${quote(path)}`, { cause });
  }
}
