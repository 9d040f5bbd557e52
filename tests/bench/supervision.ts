/**
 * `deno task bench:supervision`: what it takes to look after containers. Memory of monitors beside that of conmon
 * and of containerd's shim, for one container and for ten; a container's life from `run --detach` to `delete`
 * beside podman's and beside plain `run`; 1 GB of output through a log beside conmon's and beside cat. All in
 * one run, each in turn. It prints ratios; it is no test.
 *
 * `deno task bench:supervision [--quick]`
 */

import { delay } from "../../lib/base/delay.ts";
import { clientCgroups, restoreHost, type Sandbox } from "../support/clients/sandbox.ts";
import { align, type Figures, summarize } from "./report.ts";
import { FLOOR, type Prepared, prepareTools } from "./supervised.ts";

const QUICK = Deno.args.includes("--quick");
const RUNS = QUICK ? 5 : 30;
const OUTPUT_RUNS = QUICK ? 1 : 3;
/** Megabytes of output, in files of this size, printed ten at a time. */
const MEGABYTES = QUICK ? 100 : 1000;
const DATA = 1;
const MANY = 10;
/** By then nothing is left to be done of a start, in ms. */
const REST = 2_000;

const ORDINALS = { count: 0 };
const nextId = () => `b${ORDINALS.count++}`;

/** Kilobytes, of one process in the middle. */
interface Memory {
  readonly pss: number;
  readonly own: number;
}

/** Of all processes of a name. */
async function memoryOf({ tool, sandbox }: Prepared): Promise<Memory> {
  const text = await sandbox.ok(
    `for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" = ${tool.companion} ] || continue
     echo $(awk '/^Pss:/ { pss = $2 } /^Private_(Clean|Dirty)/ { own += $2 } END { print pss, own }' $p/smaps_rollup)
     done`,
  );
  const rows = text.trim().split("\n").map((row) => row.split(" ").map(Number));
  const mean = (column: number) => rows.reduce((sum, row) => sum + row[column]!, 0) / rows.length;
  return { pss: mean(0), own: mean(1) };
}

async function benchMemory(prepared: readonly Prepared[]): Promise<string> {
  const rows = [[
    "kB a container",
    "PSS",
    "private",
    `PSS of ${MANY}`,
    `private of ${MANY}`,
    "PSS",
  ]];
  let first: Memory | undefined;
  for (const one of prepared) {
    const { tool, sandbox } = one;
    const ids = Array.from({ length: MANY }, nextId);
    const start = (id: string) => sandbox.ok(`id=${id}; ${tool.idle} >&2`);
    await start(ids[0]!);
    await delay(REST);
    const alone = await memoryOf(one);
    for (const id of ids.slice(1)) await start(id);
    await delay(REST);
    const among = await memoryOf(one);
    for (const id of ids) await sandbox.ok(`id=${id}; { ${tool.remove}; } >&2`);
    first ??= among;
    const figures = [alone.pss, alone.own, among.pss, among.own].map((kB) => kB.toFixed(0));
    rows.push([tool.name, ...figures, `${(among.pss / first.pss).toFixed(1)} times`]);
  }
  return align(rows);
}

/** Times lines of shell inside, in ms: the sandbox's shell starts before the clock does. */
async function time(sandbox: Sandbox, line: string, wanted: string): Promise<number> {
  const script = `start=$(date +%s%N); said=$(${line}); end=$(date +%s%N); ` +
    '[ "$said" = "$wanted" ] || { echo "$said" >&2; exit 1; }; echo $((end - start))';
  const text = await sandbox.ok(`id=${nextId()}; wanted=${wanted}; ${script}`, {
    timeout: 600_000,
  });
  return Number(text) / 1e6;
}

async function benchLives(prepared: readonly Prepared[]): Promise<string> {
  const lines = prepared.filter(({ tool }) => tool.lifecycle !== undefined).map((one) => ({
    name: `${one.tool.name}: run -d, wait, delete`,
    sandbox: one.sandbox,
    line: one.tool.lifecycle!,
  }));
  const own = lines[0]!.sandbox;
  const plain = "runts --root /run/state run --bundle /run/quick $id; echo $?";
  lines.splice(1, 0, { name: "runts: run", sandbox: own, line: plain });
  const times = lines.map((): number[] => []);
  for (let round = 0; round <= RUNS; round++) {
    for (const [index, { sandbox, line }] of lines.entries()) {
      const elapsed = await time(sandbox, line, "5");
      if (round > 0) times[index]!.push(elapsed); // the first round warms the caches
    }
  }
  const figures = times.map(summarize);
  const ratio = ({ median }: Figures) => (median / figures[0]!.median).toFixed(2);
  const row = ({ name }: { name: string }, index: number) => {
    const { min, median, p90 } = figures[index]!;
    return [
      name,
      ...[min, median, p90].map((ms) => ms.toFixed(1)),
      `${ratio(figures[index]!)} times`,
    ];
  };
  return align([["ms", "min", "median", "p90", "median"], ...lines.map(row)]);
}

/** Bytes of output in a log, without what stands before each line. */
async function textIn(path: string, hasHeads: boolean): Promise<number> {
  using file = await Deno.open(path);
  if (!hasHeads) return (await file.stat()).size;
  const buffer = new Uint8Array(1 << 20);
  let kept = 0;
  let head = 0;
  let text = 0;
  for (;;) {
    const read = await file.read(buffer.subarray(kept));
    if (read === null) return text;
    const end = kept + read;
    let at = 0;
    for (let next; (next = buffer.indexOf(10, at)) >= 0 && next < end; at = next + 1) {
      if (head === 0) head = headLength(buffer.subarray(at, next));
      text += next - at - head + Number(buffer[at + head - 2] === 0x46); // F: with its newline
    }
    buffer.copyWithin(0, at, end);
    kept = end - at;
    buffer.fill(0, kept);
  }
}

/** Of `TIME STREAM TAG TEXT`; all are alike, for all is written to one stream. */
function headLength(line: Uint8Array): number {
  let at = 0;
  for (let spaces = 0; spaces < 3; at++) spaces += Number(line[at] === 0x20);
  return at;
}

async function benchOutput(prepared: readonly Prepared[], folder: string): Promise<string> {
  const times = MEGABYTES / DATA / 10;
  const lines = prepared.filter(({ tool }) => tool.output !== undefined).map((
    { tool, sandbox },
  ) => ({
    name: tool.name,
    sandbox,
    line: tool.output!,
    remove: tool.remove,
    heads: true,
  }));
  const floor = { name: "cat >file", line: `${FLOOR}; echo 0`, remove: "true", heads: false };
  lines.push({ ...floor, sandbox: lines[0]!.sandbox });
  const rates = lines.map((): number[] => []);
  const lost = lines.map(() => 0);
  for (let round = 0; round < OUTPUT_RUNS; round++) {
    for (const [index, { sandbox, line, remove, heads }] of lines.entries()) {
      const log = `${folder}/${index}`;
      const elapsed = await time(sandbox, `times=${times}; log=${log}; ${line}`, "0");
      rates[index]!.push(MEGABYTES / elapsed * 1000);
      lost[index]! += MEGABYTES * 1e6 - await textIn(log, heads);
      await sandbox.ok(`id=b${ORDINALS.count - 1}; { ${remove}; } >&2`);
      await Deno.remove(log).catch(() => {}); // podman's went with the container
    }
  }
  const medians = rates.map((list) => summarize(list).median);
  const rows = lines.map(({ name }, index) => [
    name,
    medians[index]!.toFixed(0),
    `${(medians[index]! / medians[0]!).toFixed(2)} times`,
    String(lost[index]),
  ]);
  return align([[`${MEGABYTES} MB of output`, "MB/s", "", "bytes lost"], ...rows]);
}

const cgroups = clientCgroups();
const folder = await Deno.makeTempDir({ prefix: "runts-bench-" });
let prepared: Prepared[] = [];
try {
  console.log(`load ${Deno.loadavg()[0]!.toFixed(2)}`);
  prepared = await prepareTools(DATA);
  for (const bench of [benchMemory, benchLives, benchOutput]) {
    console.log(`\n${await bench(prepared, folder)}`);
  }
  console.log(`\nload ${Deno.loadavg()[0]!.toFixed(2)}`);
} finally {
  for (const { sandbox } of prepared) await sandbox.close();
  await restoreHost(cgroups);
  await Deno.remove(folder, { recursive: true });
}
