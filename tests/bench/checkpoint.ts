/**
 * `deno task bench:checkpoint`: a checkpoint of a process that holds 100 MB, and its restore, by runts and by
 * those of runc and crun that can do it, with the same criu. It prints times, their ratios and the sizes of the
 * images; it is no test. `CRIU=PATH` and `CRUN=PATH` name others than those that are installed.
 *
 * `deno task bench:checkpoint [--quick]`
 */

import { Bundle } from "../support/bundle.ts";
import { CRIU, CRIU_WORKS } from "../support/criu.ts";
import { exists } from "../support/look.ts";
import { until } from "../support/runtime.ts";
import { plainTable, summarize } from "./report.ts";
import { installed, type Runtime, whereCrunWorks } from "./runtimes.ts";
import { time } from "./timer.ts";

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
  const { name, line } = taken.runtime;
  // crun has no such option: libcriu looks for it in the PATH.
  const criu = name === "crun" ? [] : ["--criu", CRIU];
  const env = { PATH: `${bundle.path}/bin:${Deno.env.get("PATH")}` };
  const call = (...words: string[]) => time([...line, ...criu, "--root", root, ...words], env);
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

/** Those that are there, with the crun that is meant. */
function runtimes(): Runtime[] {
  const crun = Deno.env.get("CRUN");
  return installed().map((one) =>
    one.name === "crun" && crun !== undefined ? { ...one, line: [crun] } : one
  );
}

/** The path of a program. */
async function pathOf(program: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", 'command -v "$0"', program],
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** That of Debian 12 is built without criu. */
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
  for (const runtime of runtimes()) {
    if (await canCheckpoint(runtime)) all.push({ runtime, checkpoint: [], restore: [], size: 0 });
  }
  using bundle = new Bundle((config) => {
    config.process.args = ["awk", HOLDER];
    config.root.readonly = false;
  });
  Deno.symlinkSync("busybox", `${bundle.rootfs}/bin/awk`);
  Deno.mkdirSync(`${bundle.path}/bin`);
  Deno.symlinkSync(await pathOf(CRIU), `${bundle.path}/bin/criu`);
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
