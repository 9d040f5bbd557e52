/** Restart policies, without a clock. */

import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { formatRestart, parseRestart, restartDelay } from "../../../lib/supervise/restart_rule.ts";

const WHAT = 'option "--restart"';

/** What becomes of ends, one after the other: delays, and where it is not started anew, "stays". */
function delays(text: string, ends: { code?: number; ran?: number }[], delay = 100) {
  let past = {
    restart: parseRestart(WHAT, text, delay),
    restarts: 0,
    lastDelay: 0,
    stoppedByHand: false,
  };
  return ends.map(({ ran = 0, ...code }) => {
    const next = restartDelay(past, { ran, ...code });
    if (next !== undefined) past = { ...past, restarts: past.restarts + 1, lastDelay: next };
    return next ?? "stays";
  });
}

Deno.test("a policy is read and written in one form", () => {
  for (const text of ["no", "on-failure", "on-failure:3", "always", "unless-stopped"]) {
    assertEquals(formatRestart(parseRestart(WHAT, text)), text);
  }
  for (const text of ["", "never", "on-failure:0", "on-failure:x", "on-failure:1:2", "always:3"]) {
    assertThrows(
      () => parseRestart(WHAT, text),
      RuntsError,
      `${WHAT}: "${text}" is not a restart policy: as "no", "on-failure", "on-failure:3", ` +
        '"always" or "unless-stopped"',
    );
  }
});

Deno.test("a delay doubles from restart to restart up to a minute", () => {
  const ends = Array.from({ length: 12 }, () => ({ code: 0 }));
  assertEquals(
    delays("always", ends),
    [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000],
  );
  assertEquals(delays("always", ends.slice(0, 3), 30_000), [30_000, 60_000, 60_000]);
});

Deno.test("who has run for ten seconds begins a new row", () => {
  const ends = [{}, {}, { ran: 9_999 }, { ran: 10_000 }, {}];
  assertEquals(delays("unless-stopped", ends), [100, 200, 400, 100, 200]);
});

Deno.test("on-failure restarts failures alone, and no more than it may", () => {
  assertEquals(delays("on-failure", [{ code: 1 }, { code: 137 }, { code: 0 }]), [
    100,
    200,
    "stays",
  ]);
  assertEquals(delays("on-failure:2", [{ code: 1 }, { code: 1 }, { code: 1 }]), [
    100,
    200,
    "stays",
  ]);
});

Deno.test("an end of which nothing is known is a failure", () => {
  assertEquals(delays("on-failure", [{}]), [100]);
});

Deno.test("nothing is started anew without a policy, or that a user has stopped", () => {
  assertEquals(delays("no", [{ code: 1 }]), ["stays"]);
  for (const text of ["always", "unless-stopped", "on-failure"]) {
    const past = { restart: parseRestart(WHAT, text), restarts: 0, lastDelay: 0 };
    assertEquals(restartDelay({ ...past, stoppedByHand: true }, { code: 1, ran: 0 }), undefined);
  }
});
