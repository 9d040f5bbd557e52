/**
 * Limits that change with load: a container that uses up its share of a processor gets more, one that does
 * not gets less.
 *
 *     deno run -A examples/limits.ts [ROOTFS [STATE_ROOT]]
 */

import { Container } from "@runts/runts";

const [path = "/srv/busybox", root = "/run/runts"] = Deno.args;
/** Of one processor, in percent. */
const [LEAST, MOST] = [5, 20];
const PERIOD = 100_000;
const quota = (percent: number) => ({ cpu: { period: PERIOD, quota: percent / 100 * PERIOD } });

let percent = LEAST;
await using box = await Container.create({
  id: `busy-${Deno.pid}`,
  root,
  spec: {
    root: { path },
    process: { args: ["sh", "-c", "while true; do true; done"] },
    linux: { resources: quota(percent) },
  },
  stdin: "null",
});
await box.start();

let before = { used: 0, time: performance.now() };
for await (const event of box.events({ interval: 300 })) {
  if (event.type !== "stats") continue;
  // Nanoseconds of processor time, and milliseconds.
  const now = { used: Number(event.data.cpu.usage.total ?? 0), time: performance.now() };
  const load = (now.used - before.used) / 1e4 / (now.time - before.time);
  before = now;
  const next = load > 0.8 * percent ? 2 * percent : load < 0.3 * percent ? percent / 2 : percent;
  const allowed = Math.min(MOST, Math.max(LEAST, next));
  if (allowed === percent) continue;
  await box.update({ resources: quota(allowed) });
  console.log(`it was allowed ${percent} %, now ${allowed} %`);
  percent = allowed;
  if (percent === MOST) break;
}
