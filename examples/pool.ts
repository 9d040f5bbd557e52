/**
 * A pool of workers: many tasks, of which only so many run at a time, each in a container of its own.
 *
 *     deno run -A examples/pool.ts [ROOTFS [STATE_ROOT]]
 */

import { Container, Runtime } from "@runts/runts";

const [path = "/srv/busybox", root = "/run/runts"] = Deno.args;
const WORKERS = 4;

const runtime = new Runtime({ root });
const tasks = Array.from({ length: 20 }, (_, index) => index);
const results = new Map<number, string>();

/** One container for each task, one after the other, as long as there are tasks. */
async function worker(number: number): Promise<void> {
  for (let task; (task = tasks.shift()) !== undefined;) {
    await using box = await Container.create({
      id: `worker-${Deno.pid}-${number}`,
      runtime,
      spec: {
        root: { path },
        process: { args: ["sh", "-c", `echo $((${task} * ${task}))`] },
        linux: { resources: { pids: { limit: 10 }, memory: { limit: 64 * 1024 * 1024 } } },
      },
      stdin: "null",
      stdout: "piped",
    });
    await box.start();
    results.set(task, (await box.stdout.text()).trim());
  }
}

await Promise.all(Array.from({ length: WORKERS }, (_, number) => worker(number)));
const sum = [...results.values()].reduce((all, one) => all + Number(one), 0);
console.log(`${results.size} tasks, the sum of all squares is ${sum}`);
