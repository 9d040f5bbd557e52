/** Capabilities of the caller. */

import type { Runtime } from "../runtime/runtime.ts";
import { CAPABILITIES } from "../spec/values/capabilities.ts";

/** Those that nobody can get from here: the caller's bounding set lacks them. */
export function lostCapabilities({ caller }: Runtime): string[] {
  const status = Deno.readTextFileSync(`${caller.proc}/status`);
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return CAPABILITIES.filter((_, bit) => (mask & 1n << BigInt(bit)) === 0n);
}
