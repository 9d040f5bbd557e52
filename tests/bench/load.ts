/**
 * Many containers by many callers, twice over, with runts and its peers: what the same script
 * takes, with nothing lost or left.
 *
 * `deno run -A tests/bench/load.ts [CONTAINERS [CALLERS [ROUNDS [EXECUTABLE…]]]]`, default: 500, 16, 2
 * and runts, runc and crun
 */

import { Bundle } from "../support/bundle.ts";
import { runLoad } from "../support/load.ts";
import { RUNTIME } from "../support/runtime.ts";

const [containers = 500, callers = 16, rounds = 2] = Deno.args.slice(0, 3).map(Number);
const named = Deno.args.slice(3);

async function bench(executable: string): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "runts-load-" });
  try {
    using bundle = new Bundle((config) => config.process.args = ["sleep", "3600"]);
    for (let round = 1; round <= rounds; round++) {
      const prefix = `load${Deno.pid}-${round}`;
      const load = { executable, root, bundle: bundle.path, prefix, containers, callers };
      const { total, slowest } = await runLoad(load);
      const each = (total / containers).toFixed(1);
      console.log(
        `${executable}, round ${round}: ${(total / 1000).toFixed(1)} s, ${each} ms a container, ` +
          `slowest command ${slowest.toFixed(0)} ms`,
      );
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

console.log(`${containers} containers, ${callers} callers, load ${Deno.loadavg()[0]!.toFixed(2)}`);
const executables = named.length > 0 ? named : [RUNTIME, "/usr/sbin/runc", "/usr/bin/crun"];
for (const executable of executables) await bench(executable);
