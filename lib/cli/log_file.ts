/** Log files whose path is not UTF-8, which Deno cannot open by it (lib/base/bytes.ts). */

import { loadHelper } from "../../ffi/helper.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { O_APPEND, O_CREAT, O_WRONLY } from "../base/linux.ts";
import { quote, RuntsError } from "../base/errors.ts";

export async function openLogFile(path: string): Promise<Deno.FsFile> {
  const helper = await loadHelper();
  try {
    const fd = helper.open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644);
    const file = Deno.openSync(ownDescriptor(fd), { append: true });
    helper.close(fd);
    return file;
  } catch (cause) {
    throw new RuntsError(`open log file ${quote(path)}`, { cause });
  }
}
