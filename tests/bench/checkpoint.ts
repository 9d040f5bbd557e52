/**
 * `deno task bench:checkpoint`: a checkpoint of a process that holds 100 MB, and its restore, by runts and by
 * those of runc and crun that can do it, with the same criu (`CRIU=PATH` names one). It prints times, their
 * ratios and the sizes of the images; it is no test.
 *
 * `deno task bench:checkpoint [--quick]`
 */

import { Bundle } from "../support/bundle.ts";
import { CRIU, CRIU_WORKS } from "../support/criu.ts";
import { exists } from "../support/look.ts";
import { until } from "../support/runtime.ts";
import { plainTable, summarize } from "./report.ts";
import { installed, type Runtime, time, whereCrunWorks } from "./runtimes.ts";

const ROUNDS = Deno.args.includes("--quick") ? 3 : 12;
const MEGABYTES = 100;
const MiB = 2 ** 20;

/** Holds its megabytes, none like another, and then says so. */
const HOLDER = `BEGIN {
  line = sprintf("%${MiB}s", "x")
  for (i = 0; i < ${MEGABYTES}; i++) held[i] = line i
  system("touch /tmp/holds; exec sleep 1000")
}`;

/** What one runtime took. */
interface Taken {
  readonly runtime: Runtime;
  readonly checkpoint: number[];
  readonly restore: number[];
  /** Bytes of an image. */
  size: number;
}

/** Takes an image and makes a container out of it, once. */
async function round(taken: Taken, root: string, bundle: Bundle): Promise<void> {
  const id = `bench-${Deno.pid}`;
  const image = `${bundle.path}/image`;
  const call = (...words: string[]) =>
    time([...taken.runtime.line, "--criu", CRIU, "--root", root, ...words]);
  await call("run", "--detach", "--bundle", bundle.path, id);
  const holds = `${bundle.rootfs}/tmp/holds`;
  await until("it holds its memory", () => exists(holds));
  taken.checkpoint.push(await call("checkpoint", "--image-path", image, id));
  taken.size = [...Deno.readDirSync(image)]
    .reduce((sum, { name }) => sum + Deno.lstatSync(`${image}/${name}`).size, 0);
  const restore = ["restore", "--detach", "--image-path", image, "--bundle", bundle.path, id];
  taken.restore.push(await call(...restore));
  await call("delete", "--force", id);
  Deno.removeSync(image, { recursive: true });
  Deno.removeSync(holds);
}

/** Debian's crun is built without criu. */
async function canCheckpoint({ name, line }: Runtime): Promise<boolean> {
  const [executable, ...args] = line;
  const { success } = await new Deno.Command(executable!, {
    args: [...args, "checkpoint", "--help"],
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) console.log(`${name} is built without criu`);
  return success;
}

async function main(): Promise<void> {
  if (!CRIU_WORKS) {
    throw new Error(`${CRIU} does not work on this kernel: name another one by CRIU`);
  }
  const all: Taken[] = [];
  for (const runtime of installed()) {
    if (await canCheckpoint(runtime)) all.push({ runtime, checkpoint: [], restore: [], size: 0 });
  }
  using bundle = new Bundle((config) => {
    config.process.args = ["awk", HOLDER];
    config.root.readonly = false;
  });
  Deno.symlinkSync("busybox", `${bundle.rootfs}/bin/awk`);
  const root = Deno.makeTempDirSync({ prefix: "runts-root-" });
  try {
    // In turn, so that a busy moment of the host touches each alike.
    for (let count = 0; count < ROUNDS; count++) {
      for (const taken of all) await round(taken, `${root}/${taken.runtime.name}`, bundle);
    }
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
  const measured = all.flatMap(({ runtime: { name: runtime }, checkpoint, restore }) => [
    { runtime, command: "checkpoint", figures: summarize(checkpoint) },
    { runtime, command: "restore", figures: summarize(restore) },
  ]);
  console.log(plainTable(`${MEGABYTES} MB, ms: min / median / p90 of ${ROUNDS}`, measured));
  for (const { runtime: { name }, size } of all) {
    console.log(`image of ${name}: ${(size / MiB).toFixed(1)} MiB`);
  }
}

if (import.meta.main) await whereCrunWorks(import.meta.filename!, main);
