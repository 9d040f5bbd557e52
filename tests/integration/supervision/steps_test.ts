/** SIGKILL to start, exec, stop, restart and delete at each of their steps: what was begun can be done again. */

import { assert, assertEquals } from "@std/assert";
import type { Bundle } from "../../support/bundle.ts";
import { hasProcesses, type TestRuntime } from "../../support/host.ts";
import { until } from "../../support/runtime.ts";
import { type Stop, walk, type Walked, withStops } from "../../support/stops.ts";
import {
  eventTypes,
  monitorsOf,
  record,
  runScript,
  supervisionTest,
} from "../../support/supervised.ts";

const words = ({ role, name, nth }: Stop) => `${role} ${name} ${nth}`;

/** Somebody who is killed, and what is done about it. */
interface Case {
  readonly verb: string;
  readonly args: (id: string) => readonly string[];
  /** There is a container for it. */
  readonly made: (subject: Subject) => Promise<{ id: string; inits?: Walked["inits"] }>;
  /** Does it again, if need be, and looks whether the container is as it should be. */
  readonly again: (subject: Subject, id: string) => Promise<void>;
  /** Steps that there are at least. */
  readonly least: number;
}

interface Subject {
  readonly runtime: TestRuntime;
  readonly bundle: Bundle;
  /** Takes a command from step to step. */
  go(
    args: readonly string[],
    at: (stop: Stop) => "runts" | undefined,
    inits?: Walked["inits"],
  ): Promise<Walked>;
}

const SLEEP = "exec sleep 1000";

const running = async ({ runtime, bundle }: Subject) => ({
  id: await runScript(runtime, bundle, SLEEP, "--supervised"),
});

/** Whether the program of an exec was executed. */
function hasRun({ rootfs }: Bundle): boolean {
  try {
    Deno.removeSync(`${rootfs}/tmp/ran`);
    return true;
  } catch {
    return false;
  }
}

async function endsBy137({ runtime }: Subject, id: string): Promise<void> {
  await runtime.ok(["kill", id, "KILL"]);
  assertEquals(await runtime.ok(["wait", id]), "137\n");
}

const CASES: readonly Case[] = [
  {
    verb: "start",
    args: (id) => [id],
    made: async ({ runtime, bundle }) => {
      bundle.config.process.args = ["sh", "-c", SLEEP];
      bundle.save();
      const id = runtime.id();
      await runtime.ok(["create", "--supervised", "--bundle", bundle.path, id]);
      const { pid, startTime } = record(runtime, id, "processes/init/process.json");
      const init = { role: "stage 2", startTime, last: "@wait" } as const;
      return { id, inits: new Map([[pid, init]]) };
    },
    again: async (subject, id) => {
      const { status } = await subject.runtime.state(id);
      if (status === "created") await subject.runtime.ok(["start", id]);
      else assertEquals(status, "running");
      await endsBy137(subject, id);
    },
    least: 2,
  },
  {
    verb: "exec",
    args: (id) => ["--name", "more", "--detach", id, "sh", "-c", ": >/tmp/ran; exit 4"],
    made: running,
    again: async (subject, id) => {
      const { runtime, bundle } = subject;
      const { code, stdout, stderr } = await runtime.run(["wait", "--process", "more", id]);
      // A process whose program was not executed any more has ended by that.
      if (code === 0) assertEquals(stdout, hasRun(bundle) ? "4\n" : "1\n");
      else assertEquals(stderr, `runts: wait "${id}": it has no process "more"\n`);
      const second = await runtime.run(["exec", "--name", "more", id, "sh", "-c", "exit 3"]);
      assertEquals([second.code, second.stderr], [3, ""]);
      await endsBy137(subject, id);
    },
    least: 5,
  },
  {
    verb: "stop",
    args: (id) => ["--timeout", "0", id],
    made: ({ runtime, bundle }) =>
      runScript(runtime, bundle, SLEEP, "--restart", "on-failure:1", "--restart-delay", "20s")
        .then((id) => ({ id })),
    again: async ({ runtime }, id) => {
      await runtime.ok(["stop", "--timeout", "0", id]);
      assertEquals(await runtime.ok(["wait", id]), "137\n");
      assertEquals(eventTypes(runtime, id).filter((type) => type === "started").length, 1);
    },
    least: 2,
  },
  {
    verb: "restart",
    args: (id) => ["--timeout", "0", id],
    made: running,
    again: async (subject, id) => {
      const { runtime } = subject;
      await runtime.ok(["restart", "--timeout", "0", id]);
      assertEquals((await runtime.state(id)).status, "running");
      assertEquals(monitorsOf(runtime).length, 1);
      await endsBy137(subject, id);
    },
    least: 8,
  },
  {
    verb: "delete",
    args: (id) => ["--force", id],
    made: running,
    again: async () => {},
    least: 3,
  },
];

for (const { verb, args, made, again, least } of CASES) {
  supervisionTest(
    `${verb} killed at each of its steps can be done again`,
    async (runtime, bundle) => {
      const line = [...await withStops(bundle.path), "--root", runtime.root];
      const subject: Subject = {
        runtime,
        bundle,
        go: (args, at, inits = new Map()) =>
          walk([...line, ...args], at, inits, () => monitorsOf(runtime)),
      };
      const seen: string[] = [];
      for (let killed = true; killed;) {
        const { id, inits } = await made(subject);
        killed = false;
        const at = (stop: Stop) => {
          if (stop.role !== "runts" || killed || seen.includes(words(stop))) return undefined;
          seen.push(words(stop));
          killed = true;
          return "runts" as const;
        };
        const { code, stderr } = await subject.go([verb, ...args(id)], at, inits);
        if (!killed) assertEquals([code, stderr], [0, ""]);
        if ((await runtime.ok(["list", "--quiet"])) !== "") {
          await again(subject, id);
          await runtime.ok(["delete", "--force", id]);
        }
        assertEquals(await runtime.ok(["list", "--quiet"]), "", seen.at(-1));
        await until(
          "nobody is left",
          () => !hasProcesses(bundle) && monitorsOf(runtime).length === 0,
        );
      }
      assert(seen.length >= least, seen.join(", "));
    },
    (config) => config.root.readonly = false,
  );
}
