/** The signatures in ffi/monitor.ts against c/helper/monitor.h. */

import { MONITOR_SYMBOLS } from "../../../ffi/monitor.ts";
import { assertPrototypes } from "../../support/prototypes.ts";

Deno.test("every prototype is that of the header", () => {
  assertPrototypes(Object.keys(MONITOR_SYMBOLS), "monitor.h", "monitor.ts");
});
