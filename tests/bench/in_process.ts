/** Lifecycles through mod.ts: create, start, wait, delete, in one Deno process. */

import { Container } from "../../mod.ts";
import { type Figures, summarize } from "./report.ts";

/** Times whole lifecycles of a bundle's program and, in one living container, `exec`. */
export async function lifecycles(
  root: string,
  bundle: string,
  runs: number,
  pause: number,
): Promise<Figures> {
  const times: number[] = [];
  for (let round = 0; round < runs + 1; round++) {
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    const id = `p${Deno.pid}-${pause}-${round}`;
    const start = performance.now();
    const container = await Container.create({ id, bundle, root, stdio: "null" });
    await container.start();
    const { code } = await container.wait();
    await container.delete();
    const elapsed = performance.now() - start;
    if (code !== 0) throw new Error(`the program ended with ${code}`);
    if (round > 0) times.push(elapsed);
  }
  return summarize(times);
}
