/**
 * `deno task bench:shim-load`: many callers of `ctr` at a time: containers that are run, and processes in another one.
 * runts as a shim of containerd, then runc's shim with runc, then runts once more while its brain is killed again and
 * again. It prints how long that took, what was lost, and what is left; it is no test.
 *
 * `deno task bench:shim-load [RUNS [EXECS [CALLERS [KILL_MS]]]]`
 */

import { prepareContainerd } from "../support/clients/containerd.ts";
import { makeImage } from "../support/clients/image.ts";
import { clientCgroups, restoreHost, Sandbox } from "../support/clients/sandbox.ts";
import { linkShim } from "../support/clients/shim.ts";
import { runtimes } from "../support/clients/suite.ts";
import { align } from "./report.ts";

const [RUNS = 160, EXECS = 200, CALLERS = 8, KILL_MS = 200] = Deno.args.map(Number);
/** A busy host takes long where brains are killed. */
const TIMEOUT = 30 * 60_000;

const BY: Readonly<Record<string, string>> = {
  runts: "--runtime io.containerd.runts.v2",
  runc: "--runc-binary /usr/local/sbin/runts",
};

/** Prints a line of figures for {@linkcode Figures}, and what went wrong. */
const SCRIPT = `
image=localhost/bb:latest; bundles=/run/containerd/io.containerd.runtime.v2.task/$CONTAINERD_NAMESPACE
mkdir -p load; cd load; rm -f *; : > wrong; : > kills
ctr events > events & listener=$!
poll sh -c 'ctr namespace label $CONTAINERD_NAMESPACE at=$(date +%N); test -s events'
ctr run -d $by $image all sleep 100000
caller() {
  for n in $(seq $(($2 > $3 ? $2 : $3))); do
    if [ $n -le $2 ]; then
      ctr run --rm $by $image r$1-$n sh -c 'exit 7' > said-r$1-$n 2>&1; code=$?
      [ $code = 7 ] || echo "run $1-$n: $code: $(tail -1 said-r$1-$n)" >> wrong
    fi
    if [ $n -le $3 ]; then
      ctr task exec --exec-id e$1-$n all sh -c 'exit 3' > said-e$1-$n 2>&1; code=$?
      [ $code = 3 ] || echo "exec $1-$n: $code: $(tail -1 said-e$1-$n)" >> wrong
    fi
  done
}
if [ $pause != 0 ]; then
  touch going
  while test -e going; do sleep $pause; kill -9 $(pgrep -f 'shim serv[e]') && echo >> kills; done 2>/dev/null & killer=$!
fi
start=$(date +%s%N)
pids=; for c in $(seq $callers); do caller $c $runs $execs & pids="$pids $!"; done; wait $pids
elapsed=$(( ($(date +%s%N) - start) / 1000000 ))
if [ $pause != 0 ]; then rm going; wait $killer; fi
exits() { grep -o '/tasks/exit.*' events | grep -oE '"id":"[re][0-9]+-[0-9]+"' | sort -u | wc -l; }
all_told() { [ $(exits) = $((callers * (runs + execs))) ]; }
poll all_told > /dev/null; told=$(exits); kill $listener
ctr task rm -f all > /dev/null 2>&1; ctr container rm all
poll sh -c '! pgrep runts-monitor' > /dev/null
left=$( { ls /run/containerd/s; ls $bundles; ctr task ls -q; ctr container ls -q; pgrep runts-monitor
  grep $bundles /proc/self/mountinfo; find /sys/fs/cgroup -path "*/$CONTAINERD_NAMESPACE/*/cgroup.procs"; } | wc -l)
echo "$elapsed $told $(wc -l < kills) $left"; cat wrong
`;

interface Figures {
  readonly seconds: number;
  readonly told: number;
  readonly kills: number;
  readonly left: number;
  readonly wrong: readonly string[];
}

async function measure(sandbox: Sandbox, pauseMs: number): Promise<Figures> {
  const words = `export CONTAINERD_NAMESPACE=runts-clients-${sandbox.name} by='${BY[sandbox.name]}'
    callers=${CALLERS} runs=${Math.ceil(RUNS / CALLERS)} execs=${
    Math.ceil(EXECS / CALLERS)
  } pause=${pauseMs / 1000}`;
  const text = await sandbox.ok(`${words}\n${SCRIPT}`, { timeout: TIMEOUT });
  const [figures = "", ...wrong] = text.trim().split("\n");
  const [elapsed = 0, told = 0, kills = 0, left = 0] = figures.split(" ").map(Number);
  return { seconds: elapsed / 1000, told, kills, left, wrong };
}

async function prepare(name: string, path: string): Promise<Sandbox> {
  const sandbox = await Sandbox.open(name, path);
  await makeImage(sandbox);
  await linkShim(sandbox, "runts");
  await prepareContainerd(sandbox);
  return sandbox;
}

const cgroups = clientCgroups();
const rows = [["", "s", "exits told", "wrong", "left", "kills"]];
const wrong: string[] = [];
const add = async (label: string, sandbox: Sandbox, pauseMs = 0) => {
  const figures = await measure(sandbox, pauseMs);
  const { seconds, told, left, kills } = figures;
  rows.push([
    label,
    seconds.toFixed(1),
    ...[told, figures.wrong.length, left, kills].map(String),
  ]);
  wrong.push(...figures.wrong.map((line) => `${label}: ${line}`));
};
try {
  console.log(`load ${Deno.loadavg()[0]!.toFixed(2)}`);
  for (const [name, path] of runtimes()) {
    if (!Object.hasOwn(BY, name)) continue;
    const sandbox = await prepare(name, path);
    try {
      await add(name, sandbox);
      if (name === "runts") await add(`${name}, brain killed`, sandbox, KILL_MS);
    } finally {
      await sandbox.close();
    }
  }
} finally {
  await restoreHost(cgroups);
}
console.log(`${RUNS} runs and ${EXECS} execs by ${CALLERS} callers\n${align(rows)}`);
for (const line of wrong) console.log(line);
console.log(`load ${Deno.loadavg()[0]!.toFixed(2)}`);
