/**
 * `deno task bench:clients`: what a user waits for. podman run --rm, ctr run --rm and docker run --rm
 * with each runtime in turn, in one run, each client in a sandbox of its own; runts also with a warm brain.
 *
 * `deno task bench:clients [--quick] [CLIENT…]`, one or more of: podman, ctr, docker
 */

import { prepareContainerd } from "../support/clients/containerd.ts";
import { prepareDocker } from "../support/clients/docker.ts";
import { makeImage } from "../support/clients/image.ts";
import { preparePodman } from "../support/clients/podman.ts";
import { clientCgroups, restoreHost, Sandbox } from "../support/clients/sandbox.ts";
import { runtimes } from "../support/clients/suite.ts";
import { type Measured, plainTable, summarize } from "./report.ts";

const RUNS = Deno.args.includes("--quick") ? 5 : 30;

interface Client {
  /** The command, as the report names it. */
  readonly name: string;
  prepare(sandbox: Sandbox): Promise<void>;
  /** The same as a shell command; $round is another number each time. */
  readonly line: string;
}

const CLIENTS: readonly Client[] = [
  { name: "podman run --rm", prepare: preparePodman, line: "podman run --rm bb true" },
  {
    name: "ctr run --rm",
    prepare: prepareContainerd,
    line: "ctr -n runts-clients-$RUNTIME run --rm --runc-binary /usr/local/sbin/runts " +
      "localhost/bb:latest bench$round true",
  },
  {
    name: "docker run --rm",
    prepare: prepareDocker,
    line: "docker run --rm --network none bb true",
  },
];

/** Times one command inside, in ms: the sandbox's shell starts before the clock does. */
async function time(sandbox: Sandbox, line: string, round: number): Promise<number> {
  const script = `round=${round}; start=$(date +%s%N); ${line} >&2 || exit 1; ` +
    "echo $(( $(date +%s%N) - start ))";
  return Number(await sandbox.ok(script)) / 1e6;
}

/** The runtimes; the warm one is called by its own name inside, as cgroups are the host's. */
function called(): [name: string, path: string][] {
  const all = [...runtimes()];
  return [["warm", new Map(all).get("runts")!], ...all];
}

/** Has a brain serve whoever calls the runtime inside; it ends with the sandbox. */
async function serve(sandbox: Sandbox): Promise<void> {
  await sandbox.ok(
    "setsid runts serve >/run/brain.log 2>&1 </dev/null & poll runts serve --status",
  );
}

/** How many commands the brain has carried out, for what is measured to be what it says. */
async function carried(sandbox: Sandbox): Promise<string> {
  return /^commands: (.*)$/m.exec(await sandbox.ok("runts serve --status"))![1]!;
}

/** All runtimes in turn, so that a busy moment of the host touches each alike. */
async function measure(client: Client): Promise<Measured[]> {
  const sandboxes = new Map<string, Sandbox>();
  try {
    for (const [name, path] of called()) {
      const sandbox = await Sandbox.open(name, path);
      sandboxes.set(name, sandbox);
      if (name === "warm") await serve(sandbox);
      await makeImage(sandbox);
      await client.prepare(sandbox);
    }
    const times = new Map([...sandboxes.keys()].map((name) => [name, [] as number[]]));
    for (let round = 0; round < RUNS + 1; round++) {
      for (const [name, sandbox] of sandboxes) {
        const elapsed = await time(sandbox, client.line, round);
        if (round > 0) times.get(name)!.push(elapsed); // the first round warms the caches
      }
    }
    console.log(`${client.name}, warm: ${await carried(sandboxes.get("warm")!)}`);
    return [...times].map(([runtime, list]) => ({
      runtime,
      command: client.name,
      figures: summarize(list),
    }));
  } finally {
    for (const sandbox of sandboxes.values()) await sandbox.close();
  }
}

/** Those that the command line names. */
function chosen(): Client[] {
  const named = Deno.args.filter((word) => !word.startsWith("--"));
  const clients = CLIENTS.filter(({ line }) => named.includes(line.split(" ")[0]!));
  if (clients.length < named.length) throw new Error(`no such clients: ${named.join(" ")}`);
  return named.length > 0 ? clients : [...CLIENTS];
}

const clients = chosen();
const cgroups = clientCgroups();
try {
  const measured: Measured[] = [];
  for (const client of clients) measured.push(...await measure(client));
  const load = Deno.loadavg()[0]!.toFixed(2);
  console.log(plainTable(`min / median / p90 in ms, ${RUNS} runs, load ${load}`, measured));
} finally {
  await restoreHost(cgroups);
}
