/** What readers, who hold no lock, are told while others create, start and delete. */

import { assert, assertEquals } from "@std/assert";
import { list, type ListEntry } from "../../../lib/container/list.ts";
import { Bundle, idle } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { PEER, RUNTS_ONLY } from "../../support/runtime.ts";
import { walk, withStops } from "../../support/stops.ts";

/** States of a container in their order; others must not be seen, nor any of them before another. */
const ORDER = ["none", "creating", "created", "running", "stopped", "none again"];

/** The same state seen twice or more in a row counts once. */
function changes(seen: readonly string[]): string[] {
  return seen.filter((one, index) => one !== seen[index - 1]);
}

function assertOrdered(seen: readonly string[], what: string): void {
  const steps = changes(seen).map((one, index, all) =>
    one === "none" && index > 0 && index === all.length - 1 ? "none again" : one
  );
  const sorted = steps.toSorted((one, other) => ORDER.indexOf(one) - ORDER.indexOf(other));
  assertEquals(steps, sorted, what);
  assert(steps.every((one) => ORDER.includes(one)), `${what}: ${steps}`);
}

/** Looks through the executable until told to stop. */
async function poll(runtime: TestRuntime, id: string, over: () => boolean): Promise<string[]> {
  const seen: string[] = [];
  while (!over()) {
    const { code, stdout, stderr } = await runtime.run(["state", id]);
    if (code === 0) seen.push(JSON.parse(stdout).status);
    else {
      seen.push("none");
      if (PEER === "runts") {
        assertEquals(stderr, `runts: state "${id}": container does not exist\n`);
      }
    }
  }
  return seen;
}

Deno.test("create, start, kill and delete as several pollers see them", () =>
  withRuntime(async (runtime) => {
    using bundle = new Bundle(idle);
    for (let round = 0; round < 15; round++) {
      const id = runtime.id();
      let over = false;
      const pollers = Array.from({ length: 3 }, () => poll(runtime, id, () => over));
      await runtime.ok(["create", "--bundle", bundle.path, id]);
      if (round % 3 > 0) await runtime.ok(["start", id]);
      await runtime.ok(["kill", id, "KILL"]);
      await runtime.untilStopped(id);
      await runtime.ok(["delete", id]);
      over = true;
      for (const seen of await Promise.all(pollers)) assertOrdered(seen, `round ${round}`);
    }
  }));

Deno.test({
  name: "many creates and deletes as a list without pause sees them",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle(idle);
      const ids = Array.from({ length: 24 }, () => runtime.id());
      const seen = new Map<string, string[]>(ids.map((id) => [id, []]));
      const left = [...ids];
      const errors: string[] = [];
      let over = false;
      const caller = async () => {
        for (let id; (id = left.shift()) !== undefined;) {
          await runtime.ok(["create", "--bundle", bundle.path, id]);
          await runtime.ok(["delete", "--force", id]);
        }
      };
      const callers = Promise.all([caller(), caller(), caller()]).finally(() => over = true);
      while (!over) {
        const rows = await list({ root: runtime.root });
        errors.push(...rows.map(({ error }) => error).filter((error) => error !== undefined));
        for (const [id, states] of seen) {
          states.push(rows.find((row) => row.id === id)?.status ?? "none");
        }
        await new Promise((resolve) => setTimeout(resolve));
      }
      await callers;
      assertEquals(errors, []);
      for (const [id, states] of seen) assertOrdered(states, id);
      const all = new Set([...seen.values()].flat());
      assert(all.has("creating") && all.has("created"), [...all].join(" "));
    }),
});

/** Commands that come in between, and what they say of a container that is being created. */
const BETWEEN: readonly [args: readonly string[], ofCreating: string][] = [
  [["kill", "ID", "TERM"], "container not running"],
  [["start", "ID"], "cannot start a container in the creating state"],
  [["exec", "ID", "true"], "cannot exec in a container that is being created"],
  [["pause", "ID"], "container not running: it is creating"],
  [["resume", "ID"], "container not paused: it is creating"],
  [["update", "--pids-limit", "9", "ID"], "cannot update a container that is creating"],
  [["events", "--stats", "ID"], "container not running: it is creating"],
];

/** Runs a command while the walk stands still. */
function now(runtime: TestRuntime, args: readonly string[]): Deno.CommandOutput {
  const whole = ["--root", runtime.root, ...args];
  return new Deno.Command(runtime.executable, { args: whole, stdin: "null" }).outputSync();
}

function listNow(runtime: TestRuntime): ListEntry[] {
  return JSON.parse(new TextDecoder().decode(now(runtime, ["list", "--format", "json"]).stdout));
}

function assertRefused(runtime: TestRuntime, id: string, creating: boolean): void {
  for (const [words, ofCreating] of BETWEEN) {
    const args = words.map((word) => word === "ID" ? id : word);
    const { code, stderr } = now(runtime, args);
    const message = creating ? ofCreating : "container does not exist";
    const said = { code, stderr: new TextDecoder().decode(stderr) };
    const wanted = args[0] === "exec" ? 255 : 1;
    assertEquals(said, { code: wanted, stderr: `runts: ${args[0]} "${id}": ${message}\n` });
  }
}

Deno.test({
  name: "every reader at every message of create",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle(idle);
      const line = [...await withStops(bundle.path), "--root", runtime.root];
      const id = runtime.id();
      const seen: string[] = [];
      const tried = new Set<string>();
      const { code, stderr } = await walk([...line, "create", "--bundle", bundle.path, id], () => {
        const [row, ...others] = listNow(runtime);
        assertEquals(others, []);
        const status = row?.status ?? "none";
        seen.push(status);
        if (row !== undefined) assertEquals([row.bundle, row.error], [bundle.path, undefined]);
        // What is created may be started, but not before create gives up its lock.
        if (tried.has(status) || status === "created") return undefined;
        tried.add(status);
        assertRefused(runtime, id, status === "creating");
        return undefined;
      });
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assertEquals(changes(seen), ["none", "creating", "created"]);
      await runtime.ok(["delete", "--force", id]);
    }),
});

Deno.test({
  name: "ps of a container whose create has no cgroup yet names no strangers",
  ...RUNTS_ONLY,
  fn: () =>
    withRuntime(async (runtime) => {
      using bundle = new Bundle(idle);
      const id = runtime.id();
      await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
      const path = `${runtime.root}/${id}`;
      const record = Deno.readTextFileSync(`${path}/status`);
      const other = runtime.id();
      Deno.mkdirSync(`${runtime.root}/${other}`);
      const creator = { pid: 1, startTime: 0 };
      const intent = JSON.stringify({ creator, status: { ...JSON.parse(record), pid: 0 } });
      Deno.writeTextFileSync(`${runtime.root}/${other}/preparing`, intent);
      const ps = (one: string) => runtime.ok(["ps", "--format", "json", one]);
      assertEquals(JSON.parse(await ps(other)) ?? [], []);
      assertEquals(JSON.parse(await ps(id)).length, 1);
      Deno.removeSync(`${runtime.root}/${other}`, { recursive: true });
      await runtime.ok(["delete", "--force", id]);
    }),
});
