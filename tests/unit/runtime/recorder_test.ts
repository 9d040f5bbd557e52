/** What a recorder notes of what is done. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Recorder } from "../../../lib/runtime/recorder.ts";
import { Runtime, withSettings } from "../../../lib/runtime/runtime.ts";
import type { Body } from "../../../lib/body/body.ts";
import type { LoadedRuntime } from "../../../lib/runtime/runtime.ts";

function told(recorder: Recorder): string[] {
  return recorder.spans.map(({ who, what, failed }) =>
    `${who}: ${what}${failed === undefined ? "" : `: ${failed}`}`
  );
}

Deno.test("without a trace nothing is noted", () => {
  assertEquals(new Runtime({ root: "/x" }).timed("a", () => 5), 5);
});

Deno.test("what is done is noted when it has ended, or failed", async () => {
  const runtime = new Runtime({ root: "/x" });
  const recorder = Recorder.attach(runtime);
  const before = Recorder.now();
  assertEquals(runtime.timed("at once", () => 5), 5);
  assertEquals(await runtime.timed("later", () => Promise.resolve(6)), 6);
  assertThrows(
    () =>
      runtime.timed("refused", () => {
        throw new Error("no");
      }),
    Error,
    "no",
  );
  await assertRejects(() => runtime.timed("too late", () => Promise.reject(new Error("never"))));
  await runtime.timed("outer", () => runtime.timed("inner", () => Promise.resolve()));
  assertEquals(told(recorder), [
    "brain: at once",
    "brain: later",
    "brain: refused: no",
    "brain: too late: never",
    "brain: inner",
    "brain: outer",
  ]);
  const [inner, outer] = recorder.spans.slice(-2);
  assert(outer!.begin <= inner!.begin && inner!.end <= outer!.end);
  assert(recorder.spans.every(({ begin, end }) => before <= begin && begin <= end));
});

/** A body of which a few calls are there. */
class Few {
  constructor(readonly inner?: Body) {}
  #secret = 7;
  open(): Promise<number> {
    return this.inner ? this.inner.open("", 0) : Promise.resolve(this.#secret);
  }
  runHook(): Promise<string> {
    return Promise.reject(new Error("no such hook"));
  }
}

Deno.test("calls of bodies are noted once, whoever hands them on", async () => {
  const front = new Few() as unknown as Body;
  const runtime = new Runtime({ root: "/x", body: front });
  const recorder = Recorder.attach(runtime);
  assertEquals(await runtime.body!.open("", 0), 7);
  const monitor = new Few(runtime.body) as unknown as Body;
  const other = withSettings(runtime as LoadedRuntime, { body: monitor });
  assertEquals(await other.body.open("", 0), 7);
  await assertRejects(() => other.body.runHook({} as never), Error, "no such hook");
  assertEquals(told(recorder), [
    "front: open a file",
    "monitor: open a file",
    "hook: run a hook: no such hook",
  ]);
});

Deno.test("the start is before everything else", () => {
  const recorder = new Recorder();
  recorder.addStart("/proc/self");
  const [process, load] = recorder.spans;
  assertEquals(told(recorder), [
    "start: start of the process, front and Deno",
    "start: load the command",
  ]);
  assert(process!.begin <= process!.end && process!.end === load!.begin && load!.begin < load!.end);
});
