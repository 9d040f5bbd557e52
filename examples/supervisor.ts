/**
 * A tiny supervisor: what fails is started again, after a pause that grows, until it has worked or
 * this script is told to end.
 *
 *     deno run -A examples/supervisor.ts [ROOTFS [STATE_ROOT]]
 */

import { Container } from "@runts/runts";

const [path = "/srv/busybox", root = "/run/runts"] = Deno.args;
const [FIRST_PAUSE, MOST] = [50, 2000];

const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort());
Deno.addSignalListener("SIGINT", () => stop.abort());

/** Runs it once; whether it did what it should. */
async function once(attempt: number): Promise<boolean> {
  await using box = await Container.create({
    id: `service-${Deno.pid}`,
    root,
    // It needs three attempts.
    spec: { root: { path }, process: { args: ["sh", "-c", `exit $((${attempt} < 3))`] } },
    stdin: "null",
  });
  await box.start();
  try {
    const { success, code } = await box.wait({ signal: stop.signal });
    console.log(`attempt ${attempt}: ended with ${code}`);
    return success;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    await box.kill("TERM");
    await box.wait({ signal: AbortSignal.timeout(5000) });
    return true;
  }
}

let pause = FIRST_PAUSE;
for (let attempt = 1; !await once(attempt); attempt++) {
  await new Promise((resolve) => setTimeout(resolve, pause));
  pause = Math.min(MOST, 2 * pause);
}
Deno.exit();
