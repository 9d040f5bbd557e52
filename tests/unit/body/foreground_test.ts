/** Signals that Deno hears of at its own time. */

import { assertEquals } from "@std/assert";
import type { Helper } from "../../../ffi/helper.ts";
import { LocalForeground } from "../../../lib/body/foreground.ts";

/** A helper that knows nothing but signals; `counts` is how often each was handed on. */
function stub(counts: Record<number, number>, seen: string[]): Helper {
  const calls = {
    beginForwarding: () => 7,
    endForwarding: () => seen.push("handlers are gone"),
    forwardedCount: (number: number) => counts[number] ?? 0,
    heardSignal: (number: number, count: number) => seen.push(`${number} after ${count}`),
  };
  return calls as unknown as Helper;
}

Deno.test("a signal that was handed on does not end us when Deno hears of it late", async () => {
  const counts: Record<number, number> = { 1: 3 };
  const seen: string[] = [];
  const foreground = new LocalForeground(stub(counts, seen));
  counts[1] = 4;
  const ended = foreground.end().then(() => seen.push("end"));
  Deno.kill(Deno.pid, "SIGHUP");
  await ended;
  assertEquals(seen, ["handlers are gone", "1 after 3", "end"]);
});

Deno.test("without a signal nothing is waited for", async () => {
  const seen: string[] = [];
  await new LocalForeground(stub({ 15: 2 }, seen)).end();
  assertEquals(seen, ["handlers are gone"]);
});
