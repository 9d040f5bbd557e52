/** A bundle whose path is not UTF-8. Deno has no names for such paths: it gets a descriptor's. */

import { loadHelper } from "../../ffi/helper.ts";
import { O_DIRECTORY, O_PATH } from "../base/linux.ts";

/** Where a bundle is: the path, and what it is called to open something in it. */
export interface BundlePlace extends Disposable {
  readonly path: string;
  readonly seen: string;
}

/** `path`: in the form of lib/base/bytes.ts, or by way of /proc/self/cwd. */
export async function openBytesPlace(path: string): Promise<BundlePlace> {
  const helper = await loadHelper();
  const fd = helper.open(path, O_PATH | O_DIRECTORY);
  const seen = `/proc/self/fd/${fd}`;
  return { path: helper.readLink(seen), seen, [Symbol.dispose]: () => helper.close(fd) };
}
