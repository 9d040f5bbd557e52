/**
 * What a monitor takes: its memory at rest and at work, and how long it takes for a program's output,
 * beside `cat >FILE` and, where it is there, conmon with the same program below a stand-in for a
 * runtime. All write to one tmpfs, in turns.
 *
 * `deno task bench:monitor [MEGABYTES [ROUNDS]]`, default: 1000 and 5
 */

import { summarize } from "./report.ts";
import { Watched } from "../support/monitor.ts";
import { gcc } from "../support/stand_in.ts";
import { memoryOf } from "../support/usage.ts";

const [megabytes = 1000, rounds = 5] = Deno.args.map(Number);
const bytes = megabytes * 1e6;
const FOLDER = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "runts-bench-" });
const LOG = `${FOLDER}/log`;

/** Bytes of a line, and of a write. */
const SHAPES = [[100, 65536], [100, 4096], [1000, 65536], [20_000, 65536]] as const;

/** Writes so many bytes in lines. */
const GENERATOR = `
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  long left = atol(argv[argc - 3]), line = atol(argv[argc - 2]), size = atol(argv[argc - 1]);
  size = size < line ? line : size - size % line;
  char *bytes = malloc(size);
  memset(bytes, 'x', size);
  for (long at = line - 1; at < size; at += line) bytes[at] = '\\n';
  for (long at = 0; left > 0;) {
    long part = left < size - at ? left : size - at, written = write(1, bytes + at, part);
    if (written <= 0) return 1;
    left -= written;
    at = (at + written) % size;
  }
  return 0;
}
`;

/** Starts the program at once, as a runtime's \`create\` would later: conmon copies its output. */
const RUNTIME = `#!/bin/sh
for word in "$@"; do case $last in --pid-file) file=$word;; esac; last=$word; done
case "$*" in *create*) sh -c "exec $(cat ${FOLDER}/program)" & printf %s $! >$file;; esac
`;

async function prepare(): Promise<void> {
  await Deno.writeTextFile(`${FOLDER}/generator.c`, GENERATOR);
  await gcc("-O2", "-o", `${FOLDER}/generator`, `${FOLDER}/generator.c`);
  await Deno.writeTextFile(`${FOLDER}/runtime`, RUNTIME, { mode: 0o755 });
  for (const name of ["bundle", "sockets"]) await Deno.mkdir(`${FOLDER}/${name}`);
  await Deno.writeTextFile(`${FOLDER}/bundle/config.json`, "{}");
}

async function shell(script: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Milliseconds that something takes, with a log that is not there before or after. */
async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  const took = performance.now() - begin;
  await Deno.remove(LOG);
  return took;
}

async function conmon(program: string): Promise<void> {
  await Deno.writeTextFile(`${FOLDER}/program`, program);
  await shell(
    `cd ${FOLDER} && rm -rf bundle/attach && conmon --sync -c c1 -u c1 -n c1 -b ${FOLDER}/bundle ` +
      `-p ${FOLDER}/pid -l k8s-file:${LOG} -r ${FOLDER}/runtime --no-sync-log --full-attach ` +
      `--socket-dir-path ${FOLDER}/sockets --log-level error`,
  );
}

async function monitor(program: string, driver: "cri" | "json" | "raw"): Promise<void> {
  await using watched = await Watched.start();
  const log = { driver, path: LOG };
  await watched.ended(await watched.run({ script: `exec ${program}`, log }));
  const { lost, written } = await watched.monitor.status();
  if (lost > 0n || written !== BigInt(bytes)) throw new Error(`${written} written, ${lost} lost`);
}

const hasConmon = await shell("command -v conmon").then(() => true, () => false);

async function compare(line: number, write: number): Promise<void> {
  const program = `${FOLDER}/generator ${bytes} ${line} ${write}`;
  const ways: Record<string, () => Promise<void>> = {
    "cat >FILE": () => shell(`${program} | cat >${LOG}`),
    ...hasConmon && { "conmon, k8s-file": () => conmon(program) },
    "monitor, cri": () => monitor(program, "cri"),
    "monitor, json-file": () => monitor(program, "json"),
    "monitor, raw": () => monitor(program, "raw"),
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [way, work] of Object.entries(ways)) (times[way] ??= []).push(await timed(work));
  }
  console.log(`${megabytes} MB in lines of ${line}, ${write} a write; ms (min, median):`);
  for (const [way, all] of Object.entries(times)) {
    const { min, median } = summarize(all);
    console.log(
      `  ${way.padEnd(20)} ${min.toFixed(0).padStart(6)} ${median.toFixed(0).padStart(6)}`,
    );
  }
}

function memory(pid: number): string {
  const { resident, share, own } = memoryOf(pid);
  return `RSS ${resident} kB, PSS ${share} kB, private ${own} kB`;
}

async function measureMemory(): Promise<void> {
  await using watched = await Watched.start();
  const log = { driver: "cri", path: "/dev/null" } as const;
  const program = `${FOLDER}/generator ${bytes} 100 4096`;
  await watched.run({ script: `${program}; exec sleep 1000`, log });
  let atWork = "";
  for (let written = 0n; written < BigInt(bytes);) {
    const now = memory(watched.pid);
    ({ written } = await watched.monitor.status());
    if (written > 0n && written < BigInt(bytes)) atWork = now;
  }
  console.log(`a monitor with one process, while it copies: ${atWork}`);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  console.log(`the same at rest: ${memory(watched.pid)}`);
}

try {
  await prepare();
  console.log(`load ${Deno.loadavg()[0]!.toFixed(2)}`);
  await measureMemory();
  for (const [line, write] of SHAPES) await compare(line, write);
} finally {
  await Deno.remove(FOLDER, { recursive: true });
}
