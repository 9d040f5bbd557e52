/** SIGKILL to the command at every message that it exchanges with init, whose parent is a monitor. */

import { assert, assertEquals } from "@std/assert";
import { hasProcesses } from "../../support/host.ts";
import { until } from "../../support/runtime.ts";
import { type Stop, walk, withStops } from "../../support/stops.ts";
import { monitorsOf, supervisionTest } from "../../support/supervised.ts";

const words = ({ role, name, nth }: Stop) => `${role} ${name} ${nth}`;

supervisionTest(
  "create killed at every message leaves a whole container, or none",
  async (runtime, bundle) => {
    bundle.config.process.args = ["sh", "-c", "exit 5"];
    bundle.save();
    const line = [...await withStops(bundle.path), "--root", runtime.root];
    const create = (id: string, at: (stop: Stop) => "runts" | undefined) =>
      walk(
        [...line, "create", "--supervised", "--bundle", bundle.path, id],
        at,
        [],
        () => monitorsOf(runtime),
      );
    const first = runtime.id();
    const undisturbed = await create(first, () => undefined);
    assertEquals([undisturbed.code, undisturbed.stderr], [0, ""]);
    await runtime.ok(["delete", "--force", first]);
    const stops = undisturbed.stops.filter(({ role }) => role === "runts").map(words);
    assert(stops.length >= 3, stops.join(", "));
    const seen = new Set<string>();
    for (const where of stops) {
      const id = runtime.id();
      await create(id, (stop) => words(stop) === where ? "runts" : undefined);
      const [row] = JSON.parse(await runtime.ok(["list", "--format", "json"]));
      seen.add(row?.status ?? "none");
      if (row?.status === "created") {
        await runtime.ok(["kill", id, "KILL"]);
        assertEquals(await runtime.ok(["wait", id]), "137\n", where);
      }
      await runtime.ok(["delete", "--force", id]);
      await until(
        "nobody is left",
        () => !hasProcesses(bundle) && monitorsOf(runtime).length === 0,
      );
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
    }
    assertEquals(
      [...seen].filter((status) => !["none", "created", "stopped"].includes(status)),
      [],
    );
    assert(seen.has("stopped") && seen.has("created"), [...seen].join(" "));
  },
);
