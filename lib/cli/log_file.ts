/** Log files whose path is not UTF-8, which Deno cannot open by it (lib/base/bytes.ts). */

import { loadHelper } from "../../ffi/helper.ts";
import { quote, RuntsError } from "../base/errors.ts";

const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const O_APPEND = 0o2000;

export async function openLogFile(path: string): Promise<Deno.FsFile> {
  const helper = await loadHelper();
  try {
    const fd = helper.open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644);
    const file = Deno.openSync(`/proc/self/fd/${fd}`, { append: true });
    helper.close(fd);
    return file;
  } catch (cause) {
    throw new RuntsError(`open log file ${quote(path)}`, { cause });
  }
}
