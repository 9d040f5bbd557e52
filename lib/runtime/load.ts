/** Gives a runtime the helper library, and this process as its body unless it has another one. */

import { loadHelper } from "../../ffi/helper.ts";
import { LocalBody } from "../body/local.ts";
import type { Body } from "../body/body.ts";
import type { LoadedRuntime, Runtime } from "./runtime.ts";

function traced(runtime: Runtime, body: LocalBody): Body {
  return runtime.trace?.around(body, "brain") ?? body;
}

/** The same runtime, with the library loaded. */
export async function load(runtime: Runtime): Promise<LoadedRuntime> {
  if (runtime.helper === undefined) {
    const helper = await runtime.timed(
      "load the helper library",
      () => loadHelper(runtime.patience),
    );
    runtime.body ??= traced(runtime, new LocalBody(helper));
    runtime.helper ??= helper;
  }
  return runtime as LoadedRuntime;
}
