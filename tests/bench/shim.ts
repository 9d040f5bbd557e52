/**
 * `deno task bench:shim`: runts as a shim of containerd beside runc's shim, with runc and with crun, and beside a shim
 * that makes no containers, which tells what is whose. Times in turn, in one run; then what stays in memory. It
 * prints ratios; it is no test.
 *
 * `deno task bench:shim [--quick]`
 */

import { fromFileUrl } from "@std/path";
import { delay } from "../../lib/base/delay.ts";
import { Cri } from "../support/clients/cri.ts";
import { prepareCri } from "../support/clients/cri.ts";
import { Pod } from "../support/clients/cri_pod.ts";
import { makeImage } from "../support/clients/image.ts";
import { clientCgroups, restoreHost, Sandbox } from "../support/clients/sandbox.ts";
import { linkShim } from "../support/clients/shim.ts";
import { runtimes } from "../support/clients/suite.ts";
import { gcc } from "../support/stand_in.ts";
import { align, type Measured, plainTable, summarize } from "./report.ts";

const QUICK = Deno.args.includes("--quick");
const RUNS = QUICK ? 5 : 40;
const PODS = QUICK ? 5 : 50;
const CONFIG = "/etc/containerd/config.toml";
/** By then nothing is left to be done of a start, in ms. */
const REST = 3_000;
const IMAGE = "localhost/bb:latest";

/** Whose shim it is. */
interface Shim {
  readonly name: string;
  readonly sandbox: Sandbox;
  /** What `ctr` is told. */
  readonly by: string;
  /** A container that is there while processes are started in it. */
  readonly side: string;
  /** What stays in memory, as /proc/PID/comm or the command line has it. */
  readonly resident: string;
}

const OWN = "--runtime io.containerd.runts.v2";
const RUNC = "--runc-binary /usr/local/sbin/runts";

/** The caller closes the sandboxes. */
async function prepare(folder: string): Promise<Shim[]> {
  const shims: Shim[] = [];
  for (const [name, path] of runtimes()) {
    const sandbox = await Sandbox.open(name, path);
    const isOwn = name === "runts";
    shims.push({
      name: isOwn ? name : `${name}, its shim`,
      sandbox,
      by: isOwn ? OWN : RUNC,
      side: "side",
      resident: isOwn ? "runts-monitor|dist/runts shim serve" : "containerd-shim-runc-v2",
    });
    await makeImage(sandbox);
    await linkShim(sandbox, "runts");
    await prepareCri(sandbox, isOwn ? `${CONFIG} with the shim` : CONFIG);
    await sandbox.ok(`ctr -n ${space(sandbox)} image import archive.tar`);
  }
  const null_shim = `${folder}/containerd-shim-null-v2`;
  await gcc(
    "-O1",
    "-static",
    "-o",
    null_shim,
    fromFileUrl(new URL("null_shim.c", import.meta.url)),
  );
  const own = shims[0]!;
  await own.sandbox.ok(`cp ${null_shim} /usr/local/sbin/`);
  return [...shims, {
    ...own,
    name: "no container",
    by: "--runtime io.containerd.null.v2",
    side: "none",
  }];
}

function space({ name }: Sandbox): string {
  return `runts-clients-${name}`;
}

/** Times a line of shell inside, in ms: the sandbox's shell starts before the clock does. */
async function time({ sandbox, by, side }: Shim, line: string, round: number): Promise<number> {
  const script = `export CONTAINERD_NAMESPACE=${
    space(sandbox)
  }; round=${round} by='${by}' side='${side}'
    start=$(date +%s%N); { ${line}; } >&2 || exit 1; echo $(( $(date +%s%N) - start ))`;
  return Number(await sandbox.ok(script)) / 1e6;
}

/** All in turn, so that a busy moment of the host touches each alike. */
async function measure(
  command: string,
  shims: readonly Shim[],
  once: (shim: Shim, round: number) => Promise<number>,
): Promise<Measured[]> {
  const times = shims.map((): number[] => []);
  for (let round = 0; round <= RUNS; round++) {
    for (const [index, shim] of shims.entries()) {
      const elapsed = await once(shim, round);
      if (round > 0) times[index]!.push(elapsed); // the first round warms the caches
    }
  }
  return shims.map(({ name }, index) => ({
    runtime: name,
    command,
    figures: summarize(times[index]!),
  }));
}

const RUN = `ctr run --rm $by ${IMAGE} r$round true`;
const EXEC = "ctr task exec --exec-id e$round $side true";

async function measureTimes(all: readonly Shim[]): Promise<Measured[]> {
  const shims = all.filter(({ name }) => name !== "no container");
  const runs = await measure("ctr run --rm", all, (shim, round) => time(shim, RUN, round));
  for (const shim of all) await time(shim, `ctr run -d $by ${IMAGE} $side sleep 100000`, 0);
  const execs = await measure("ctr task exec", all, (shim, round) => time(shim, EXEC, round));
  for (const shim of all) await time(shim, "ctr task rm -f $side; ctr container rm $side", 0);
  const pods = await measure("CRI pod, container", shims, async ({ sandbox }, round) => {
    using cri = new Cri(sandbox);
    const start = performance.now();
    await using pod = await Pod.run(cri, `bench${round}`);
    await pod.start("one");
    return performance.now() - start;
  });
  return [...runs, ...execs, ...pods];
}

/** Of all shims and brains, in kB: private memory, and their share of all. */
async function memoryOf({ sandbox, resident }: Shim): Promise<{ own: number; pss: number }> {
  const text = await sandbox.ok(
    `for p in $(pgrep -f '${resident}'); do [ $p = $$ ] || cat /proc/$p/smaps_rollup; done |
     awk '/^Pss:/ { pss += $2 } /^Private_Dirty/ { own += $2 } END { print own, pss }'`,
  );
  const [own = 0, pss = 0] = text.split(" ").map(Number);
  return { own, pss };
}

async function measureMemory(shims: readonly Shim[]): Promise<string> {
  const rows = [[`${PODS} pods of a container, kB`, "private", "PSS"]];
  for (const shim of shims) {
    using cri = new Cri(shim.sandbox);
    const pods: Pod[] = [];
    for (let n = 0; n < PODS; n++) {
      pods.push(await Pod.run(cri, `many${n}`));
      await pods.at(-1)!.start("one");
    }
    await delay(REST);
    const { own, pss } = await memoryOf(shim);
    rows.push([shim.name, String(own), String(pss)]);
    for (const pod of pods) await pod.remove();
  }
  return align(rows);
}

const cgroups = clientCgroups();
const folder = await Deno.makeTempDir({ prefix: "runts-bench-" });
let shims: Shim[] = [];
try {
  console.log(`load ${Deno.loadavg()[0]!.toFixed(2)}`);
  shims = await prepare(folder);
  console.log(plainTable(`min / median / p90 in ms, ${RUNS} runs`, await measureTimes(shims)));
  console.log(await measureMemory(shims.filter(({ name }) => name !== "no container")));
  console.log(`\nload ${Deno.loadavg()[0]!.toFixed(2)}`);
} finally {
  for (const sandbox of new Set(shims.map((shim) => shim.sandbox))) await sandbox.close();
  await restoreHost(cgroups);
  await Deno.remove(folder, { recursive: true });
}
