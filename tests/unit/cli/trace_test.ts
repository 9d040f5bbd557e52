/** Traces as documents, and as waterfalls. */

import { assertEquals, assertThrows } from "@std/assert";
import type { TraceSpan } from "../../../lib/base/trace.ts";
import { PLAIN } from "../../../lib/cli/explain_view.ts";
import { readTrace, traceEvents } from "../../../lib/cli/trace_events.ts";
import { traceText } from "../../../lib/cli/trace_view.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

const BEGIN = 1_700_000_000_000_000;

const SPANS: TraceSpan[] = [
  { who: "brain", what: "plan", begin: BEGIN + 1000, end: BEGIN + 2000 },
  { who: "brain", what: 'run "a"', begin: BEGIN + 500, end: BEGIN + 10_500, failed: "no" },
  { who: "init", what: "mount", begin: BEGIN + 3000.25, end: BEGIN + 3000.5, from: "mounts[0]" },
];

Deno.test("a trace is read as it was written, in order", () => {
  const text = traceEvents("runts run a", SPANS);
  const { title, spans } = readTrace(JSON.parse(text), "/t");
  assertEquals(title, "runts run a");
  assertEquals(spans.map(({ what }) => what), ['run "a"', "plan", "mount"]);
  const [run, plan, mount] = spans;
  assertEquals(run, SPANS[1]!);
  assertEquals(plan, SPANS[0]!);
  assertEquals([mount?.who, mount?.from, mount?.begin], ["init", "mounts[0]", BEGIN + 3000.25]);
});

Deno.test("events are those of the format", () => {
  const { displayTimeUnit, traceEvents: events } = JSON.parse(traceEvents("x", SPANS));
  assertEquals(displayTimeUnit, "ms");
  const complete = events.filter(({ ph }: { ph: string }) => ph === "X");
  assertEquals(complete[0], {
    ...{ ph: "X", name: 'run "a"', cat: "brain", pid: 1, tid: 1 },
    ...{ ts: BEGIN + 500, dur: 10_000, args: { failed: "no" } },
  });
  const threads = events.filter(({ name }: { name: string }) => name === "thread_name");
  const named = Object.fromEntries(
    threads.map(({ tid, args }: { tid: number; args: { name: string } }) => [tid, args.name]),
  );
  for (const { tid, cat } of complete) assertEquals(named[tid], cat);
});

Deno.test("what is no trace is refused", () => {
  const cases: [document: unknown, message: string][] = [
    [null, "it has no traceEvents"],
    [{ traceEvents: [] }, "nothing was done"],
    [
      { traceEvents: [{ ph: "X", name: "x", cat: "other", ts: 1, dur: 1 }] },
      '{"ph":"X","name":"x","cat":"other","ts":1,"dur":1} is none of its events',
    ],
    [
      { traceEvents: [{ ph: "X", name: "x", cat: "init", ts: -1, dur: 1 }] },
      '{"ph":"X","name":"x","cat":"init","ts":-1,"dur":1} is none of its events',
    ],
  ];
  for (const [document, cause] of cases) {
    const message = `read "/t": it is no trace of runts: ${cause}`;
    assertEquals(assertThrows(() => readTrace(document, "/t"), RuntsError).message, message);
  }
});

Deno.test("a waterfall", () => {
  const trace = readTrace(JSON.parse(traceEvents("runts run a", SPANS)), "/t");
  assertEquals(
    traceText(trace, 80, PLAIN),
    `runts run a: 10.00 ms
       ms     takes  who    what
     0.00     10.00  brain  run "a": no           ███████████████████████████████
     0.50      1.00  brain    plan                 ███▋
     2.50      0.00  init   mount                        ▊
`,
  );
});
