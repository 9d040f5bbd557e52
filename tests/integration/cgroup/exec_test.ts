/** `exec --cgroup`: cgroups below the container's own, of all controllers or of some. */

import { assertEquals } from "@std/assert";
import { cgroupsOf, cgroupTest, hostHas } from "../../support/cgroups.ts";
import { withRuntime } from "../../support/host.ts";
import { PEER } from "../../support/runtime.ts";
import { Sleeper, withDetached } from "../../support/seen.ts";

/** Runs a container that has a cgroup `sub` of each of the controllers, or of all. */
function withSubs(
  controllers: readonly string[] | undefined,
  body: (sleeper: Sleeper, own: Readonly<Record<string, string>>) => Promise<void>,
): Promise<void> {
  return withRuntime((runtime) =>
    withDetached(runtime, () => {}, async (id, bundle) => {
      const sleeper = new Sleeper(runtime, id, bundle);
      const own = cgroupsOf(await sleeper.pid());
      for (const name of controllers ?? Object.keys(own)) Deno.mkdirSync(`${own[name]}/sub`);
      await body(sleeper, own);
    })
  );
}

/** The controllers of a process by whether it is below the container's own cgroup. */
async function moved(
  { runtime, id }: Sleeper,
  own: Readonly<Record<string, string>>,
  ...options: readonly string[]
): Promise<string[]> {
  const lines = (await runtime.ok(["exec", ...options, id, "cat", "/proc/self/cgroup"])).trim();
  return lines.split("\n").flatMap((line) => {
    const [, names = "", path] = line.split(":");
    return names.split(",").filter((name) => own[name]?.endsWith(path!) === false);
  }).sort();
}

Deno.test({
  name: "exec enters cgroups of the controllers that it is told [v1]",
  ignore: PEER === "crun" || !hostHas("v1"), // crun 1.8 knows one for all
  fn: () =>
    withSubs(["memory", "pids"], async (sleeper, own) => {
      assertEquals(await moved(sleeper, own), []);
      assertEquals(await moved(sleeper, own, "--cgroup", "pids:sub"), ["pids"]);
      const both = ["memory", "pids"];
      assertEquals(await moved(sleeper, own, "--cgroup", "memory,pids:/sub"), both);
      const options = ["--cgroup", "memory:sub", "--cgroup", "pids:sub"];
      assertEquals(await moved(sleeper, own, ...options), both);
      assertEquals(await moved(sleeper, own, "--cgroup", "pids:sub/.."), []);
      assertEquals(await moved(sleeper, own, "--cgroup", "pids:sub/../sub/."), ["pids"]);
      assertEquals(await moved(sleeper, own, ...options, "--cgroup", "pids:/"), ["memory"]);
    }),
});

/** Options, and what is said of them; OWN stands for the container's cgroup of pids. */
const REFUSED: readonly (readonly [readonly string[], string])[] = [
  [["pids:none"], 'enter cgroup "none": there is no "OWN/none"'],
  [["pids:../.."], 'enter cgroup "../..": it leads out of the container\'s cgroup by ".."'],
  [["pids:sub/../.."], 'enter cgroup "sub/../..": it leads out of the container\'s cgroup by ".."'],
  [["pids:none/.."], 'enter cgroup "none/..": there is no "OWN/none/.."'],
  [
    ["nope:sub"],
    'enter cgroup "nope:sub": the container has no cgroup of its own for controller "nope"',
  ],
  [["pids:sub", "sub"], 'cgroup "sub" names no controller, and there are others'],
];

Deno.test({
  name: "exec says why it cannot enter a cgroup [v1]",
  ignore: PEER !== "runts" || !hostHas("v1"), // the words are runts'
  fn: () =>
    withSubs(["pids"], async (sleeper, own) => {
      for (const [words, message] of REFUSED) {
        const options = words.flatMap((word) => ["--cgroup", word]);
        assertEquals(await sleeper.exec(options, ["true"]), {
          code: 255,
          stdout: "",
          stderr: `runts: exec "${sleeper.id}": ${message.replace("OWN", own["pids"]!)}\n`,
        });
      }
    }),
});

cgroupTest("exec knows one cgroup for all controllers", ["v2"], async () => {
  await withSubs(undefined, async (sleeper, own) => {
    assertEquals(await moved(sleeper, own, "--cgroup", "/sub"), [""]);
    assertEquals(await sleeper.exec(["--cgroup", "pids:sub"], ["true"]), {
      code: 255,
      stdout: "",
      stderr: `runts: exec "${sleeper.id}": enter cgroup "pids:sub": ` +
        'the container has no cgroup of its own for controller "pids"\n',
    });
  });
});
