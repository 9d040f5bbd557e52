/** --trace: what commands write of themselves, and how it is shown. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Browser } from "../../support/browser.ts";
import { Bundle, idle } from "../../support/bundle.ts";
import { runtimeTest, type TestRuntime } from "../../support/host.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";

/** An event of the format that has a duration. */
interface Event {
  readonly ph: string;
  readonly name: string;
  readonly cat: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: { readonly config?: string; readonly failed?: string };
}

/** The events of a command, which are sound. */
function eventsIn(file: string): Event[] {
  const { traceEvents } = JSON.parse(Deno.readTextFileSync(file));
  const events: Event[] = traceEvents.filter(({ ph }: Event) => ph === "X");
  const now = Date.now() * 1000;
  for (const { name, ts, dur } of events) {
    assert(dur >= 0 && ts > now - 600e6 && ts + dur < now + 1e6, name);
  }
  return events;
}

function named(events: readonly Event[], cat: string, name: RegExp): Event {
  const found = events.filter((event) => event.cat === cat && name.test(event.name));
  assertEquals(found.length, 1, `${cat} ${name} is there ${found.length} times`);
  return found[0]!;
}

/** Whether one is part of the other in time, as far as two clocks can tell. */
function assertWithin(inner: Event, outer: Event): void {
  const slack = 2000; // µs
  assert(inner.ts >= outer.ts - slack, `${inner.name} begins before ${outer.name}`);
  assert(inner.ts + inner.dur <= outer.ts + outer.dur + slack, `${inner.name} ends after`);
}

async function traced(runtime: TestRuntime, bundle: Bundle, ...args: string[]): Promise<Event[]> {
  const file = `${bundle.path}/trace.json`;
  const [verb = "", ...rest] = args;
  await runtime.ok([verb, "--trace", file, ...rest]);
  return eventsIn(file);
}

runtimeTest("run --trace tells what everybody has done", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle((config) => {
    config.hooks = { prestart: [{ path: "/bin/true" }] };
  });
  const events = await traced(runtime, bundle, "run", "--bundle", bundle.path, runtime.id());
  const whole = named(events, "brain", /^run "/);
  const init = named(events, "brain", /^answer init until it is ready$/);
  const hook = named(events, "hook", /^run a hook$/);
  const clone = named(events, "host", /^clone the container's process/);
  const mount = named(events, "init", /^mount proc on \/proc$/);
  assertEquals(mount.args.config, "mounts[0]");
  for (const part of [init, hook, clone, mount]) assertWithin(part, whole);
  assertWithin(hook, named(events, "init", /let runts move network devices and run its hooks/));
  assertWithin(named(events, "brain", /^the program runs$/), whole);
  assertWithin(named(events, "brain", /^remove the container$/), whole);
  assert(named(events, "start", /^load the command$/).ts < whole.ts);
  assert(named(events, "start", /^start of the process/).ts < whole.ts);
});

runtimeTest("create, start and exec --trace", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  const create = await traced(runtime, bundle, "create", "--bundle", bundle.path, id);
  assertEquals(create.filter(({ name }) => /^(run|start) "/.test(name)), []);
  assertWithin(named(create, "brain", /^make the cgroup$/), named(create, "brain", /^create "/));
  const start = await traced(runtime, bundle, "start", id);
  assertWithin(named(start, "brain", /^let init go/), named(start, "brain", /^start "/));
  const exec = await traced(runtime, bundle, "exec", id, "true");
  const whole = named(exec, "brain", /^exec "/);
  assertWithin(named(exec, "init", /^execute "true"$|^find program "true"/), whole);
  await runtime.ok(["delete", "--force", id]);
});

runtimeTest("the monitor of a supervised container is told of", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle(idle);
  const id = runtime.id();
  const args = ["--supervised", "--detach", "--bundle", bundle.path, id];
  const events = await traced(runtime, bundle, "run", ...args);
  const whole = named(events, "brain", /^run "/);
  assertWithin(named(events, "brain", /^start the monitor$/), whole);
  assertWithin(named(events, "monitor", /^start init$/), whole);
  assertWithin(named(events, "init", /^mount proc on \/proc$/), whole);
  await runtime.ok(["delete", "--force", id]);
});

runtimeTest("a command that fails leaves its trace, too", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle((config) => config.process.args = ["/no/such"]);
  const file = `${bundle.path}/trace.json`;
  const args = ["--bundle", bundle.path, runtime.id()];
  const { code, stderr } = await runtime.run(["run", "--trace", file, ...args]);
  assertEquals(code, 1);
  const { args: { failed } } = named(eventsIn(file), "brain", /^run "/);
  assert(stderr.trimEnd().endsWith(failed ?? ""), failed);
  const refused = await runtime.run(["run", "--trace", "/nowhere/t", ...args]);
  assertEquals(refused, {
    code: 1,
    stdout: "",
    stderr: 'runts: run: write "/nowhere/t": ENOENT (no such file or directory)\n',
  });
});

runtimeTest("trace shows a waterfall, and a page", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle();
  const events = await traced(runtime, bundle, "run", "--bundle", bundle.path, runtime.id());
  const file = `${bundle.path}/trace.json`;
  const lines = (await runtime.ok(["trace", "--view", file])).trimEnd().split("\n");
  assertMatch(lines[0]!, /^runts run \S+: \d+\.\d\d ms$/);
  assertEquals(lines.length, events.length + 2);
  assertMatch(lines.find((line) => line.includes("mount proc"))!, /^ +[\d.]+ +[\d.]+ {2}init /);
  const html = `${bundle.path}/trace.html`;
  Deno.writeTextFileSync(html, await runtime.ok(["trace", "--view", file, "--html"]));
  await using browser = await Browser.launch();
  const page = await browser.open(`file://${html}`);
  assertEquals([page.requests, page.complaints], [[`file://${html}`], []]);
  assertEquals(await page.evaluate("document.querySelectorAll('td.lane i').length"), events.length);
  // The bar of the mount is right of that of the load, and inside of its lane.
  const places = await page.evaluate<Record<string, number>>(`(() => {
    const bar = (text) => [...document.querySelectorAll("tr")]
      .find((row) => row.textContent.includes(text)).querySelector("i").getBoundingClientRect();
    const lane = document.querySelector("td.lane").getBoundingClientRect();
    return { load: bar("load the command").left, mount: bar("mount proc on").left,
      right: bar("mount proc on").right, left: lane.left, end: lane.right };
  })()`);
  assert(places.left! <= places.load! && places.load! < places.mount!);
  assert(places.right! <= places.end! + 3);
});

runtimeTest("trace refuses what is no trace", RUNTS_ONLY, async (runtime) => {
  using bundle = new Bundle();
  const file = `${bundle.path}/config.json`;
  const cases: [args: string[], message: string][] = [
    [[], 'missing option --view: see "runts trace --help"'],
    [["--view", file], `read "${file}": it is no trace of runts: it has no traceEvents`],
    [["--view", "/nowhere"], 'read "/nowhere": ENOENT (no such file or directory)'],
  ];
  for (const [args, message] of cases) {
    const stderr = `runts: trace: ${message}\n`;
    assertEquals(await runtime.run(["trace", ...args]), { code: 1, stdout: "", stderr });
  }
});
