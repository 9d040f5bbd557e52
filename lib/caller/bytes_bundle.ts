/** A bundle whose path is not UTF-8. Deno has no names for such paths: it gets a descriptor's. */

import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import { O_DIRECTORY, O_PATH } from "../base/linux.ts";
import { load } from "../runtime/load.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** Where a bundle is: the path, and what it is called to open something in it. */
export interface BundlePlace extends Disposable {
  readonly path: string;
  readonly seen: string;
}

/** `path`: in the form of lib/base/bytes.ts, or by way of /proc/PID/cwd. */
export async function openBytesPlace(runtime: Runtime, path: string): Promise<BundlePlace> {
  const { helper, body } = await load(runtime);
  const fd = await body.open(path, O_PATH | O_DIRECTORY);
  const seen = ownDescriptor(fd);
  return { path: helper.readLink(seen), seen, [Symbol.dispose]: () => helper.close(fd) };
}
