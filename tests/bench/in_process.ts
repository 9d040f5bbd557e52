/** Through mod.ts, in one Deno process: create, start, wait, delete; and exec. */

import { Container } from "../../mod.ts";
import { QUIET } from "./quiet.ts";
import { type Figures, summarize } from "./report.ts";

/** Times `exec` of /bin/true, exit code included, in one container whose own program stays. */
export async function execs(
  root: string,
  bundle: string,
  runs: number,
  pause: number,
): Promise<Figures> {
  const id = `x${Deno.pid}-${pause}`;
  await using container = await Container.create({ id, bundle, root, ...QUIET });
  await container.start();
  return await timed(runs, pause, async () => {
    return await (await container.exec(["/bin/true"], { ...QUIET })).wait();
  });
}

/** Times whole lifecycles of a bundle's program. */
export async function lifecycles(
  root: string,
  bundle: string,
  runs: number,
  pause: number,
): Promise<Figures> {
  return await timed(runs, pause, async (round) => {
    const id = `p${Deno.pid}-${pause}-${round}`;
    const container = await Container.create({ id, bundle, root, ...QUIET });
    await container.start();
    const ending = await container.wait();
    await container.delete();
    return ending;
  });
}

/** Times what must end with 0; a first round is not counted. `pause`: ms before each. */
async function timed(
  runs: number,
  pause: number,
  once: (round: number) => Promise<{ code: number }>,
): Promise<Figures> {
  const times: number[] = [];
  for (let round = 0; round < runs + 1; round++) {
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    const start = performance.now();
    const { code } = await once(round);
    const elapsed = performance.now() - start;
    if (code !== 0) throw new Error(`the program ended with ${code}`);
    if (round > 0) times.push(elapsed);
  }
  return summarize(times);
}
