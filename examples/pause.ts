/**
 * Pause and resume: a program that counts stands still while it is paused, and notices nothing.
 *
 *     deno run -A examples/pause.ts [ROOTFS [STATE_ROOT]]
 */

import { Container, lines } from "@runts/runts";

const [path = "/srv/busybox", root = "/run/runts"] = Deno.args;

await using box = await Container.create({
  id: `counter-${Deno.pid}`,
  root,
  spec: {
    root: { path },
    process: { args: ["sh", "-c", "i=0; while true; do echo $i; i=$((i + 1)); sleep 0.01; done"] },
  },
  stdin: "null",
  stdout: "piped",
});
await box.start();

let last = -1;
const reading = (async () => {
  for await (const line of lines(box.stdout)) {
    if (Number(line) !== last + 1) throw new Error(`${line} follows ${last}`);
    last = Number(line);
  }
})();
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

while (last < 5) await pause(10);
await box.pause();
await pause(100); // what was on its way has come by then
const before = last;
console.log(`it is ${(await box.state()).status}`);
await pause(200);
console.log(`meanwhile it counted ${last - before} times`);
await box.resume();
while (last < before + 5) await pause(10);
console.log(`it is ${(await box.state()).status}, and goes on where it was`);
await box.kill("KILL");
await reading;
