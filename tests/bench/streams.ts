/**
 * A gigabyte through a piped standard output, of a container and of `Deno.Command`, in turns: MB a second.
 *
 * `deno task bench:streams [ROUNDS]`, default: 5
 */

import { Container } from "../../mod.ts";
import { Bundle } from "../support/bundle.ts";
import { QUIET } from "./quiet.ts";

const LENGTH = 2 ** 30;
const [rounds = 5] = Deno.args.map(Number);

/** Reads all of it; gives MB a second. */
async function rateOf(stream: ReadableStream<Uint8Array>): Promise<number> {
  const begin = performance.now();
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  if (length !== LENGTH) throw new Error(`${length} bytes came instead of ${LENGTH}`);
  return length / 1e3 / (performance.now() - begin);
}

const [program = "", ...args] = ["/bin/busybox", "dd", "if=/dev/zero", "bs=1M", "count=1024"];
const root = Deno.makeTempDirSync({ prefix: "runts-bench-" });
using bundle = new Bundle((config) => config.process.args = [program, ...args]);
const rates: Record<string, number[]> = { "Deno.Command": [], Container: [] };
try {
  for (let round = 0; round < rounds; round++) {
    const command = new Deno.Command(program, { args, ...QUIET, stdout: "piped" }).spawn();
    rates["Deno.Command"]!.push(await rateOf(command.stdout));
    await command.status;
    const id = `stream-${Deno.pid}`;
    await using box = await Container.create({
      id,
      root,
      bundle: bundle.path,
      ...QUIET,
      stdout: "piped",
    });
    await box.start();
    rates.Container!.push(await rateOf(box.stdout));
  }
} finally {
  Deno.removeSync(root, { recursive: true });
}
for (const [name, found] of Object.entries(rates)) {
  const [middle = 0] = found.sort((a, b) => a - b).slice(found.length / 2);
  console.log(
    `${name}: ${middle.toFixed(0)} MB/s (${found.map((one) => one.toFixed(0)).join(" ")})`,
  );
}
