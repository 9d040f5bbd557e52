/** Gives a runtime the helper library, and this process as its body unless it has another one. */

import { loadHelper } from "../../ffi/helper.ts";
import { LocalBody } from "../body/local.ts";
import type { LoadedRuntime, Runtime } from "./runtime.ts";

/** The same runtime, with the library loaded. */
export async function load(runtime: Runtime): Promise<LoadedRuntime> {
  if (runtime.helper === undefined) {
    const helper = await loadHelper(runtime.patience);
    runtime.body ??= new LocalBody(helper);
    runtime.helper ??= helper;
  }
  return runtime as LoadedRuntime;
}
