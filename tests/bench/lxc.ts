/**
 * `deno task bench:lxc`: LXC's commands of runts, by a warm brain and cold, beside those of LXC itself, in one run
 * and in turn, and the memory of the monitors. Needs root and the package lxc. It prints ratios; it is no test.
 *
 * `deno task bench:lxc [--quick]`
 */

import { parentOf } from "../support/host.ts";
import { Systems } from "../support/lxc_system.ts";
import { RUNTIME } from "../support/runtime.ts";
import { memoryOf } from "../support/usage.ts";
import { WarmBrain } from "../support/warm.ts";
import { QUIET } from "./quiet.ts";
import { align, type Measured, plainTable, summarize } from "./report.ts";

const RUNS = Deno.args.includes("--quick") ? 10 : 40;
/** Containers that `ls` finds, one of them running. */
const DEFINED = 50;
/** Does nothing until it is ended. */
const INIT = "#!/bin/sh\nwhile :; do sleep 1000; done\n";

/** Whose commands they are. */
interface Tool {
  readonly name: "runts" | "cold" | "lxc";
  line(verb: string): readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

await using brain = await WarmBrain.start();
const line = (verb: string) => [RUNTIME, "lxc", verb];
const TOOLS: readonly Tool[] = [
  { name: "runts", line, env: brain.env },
  { name: "cold", line, env: { RUNTS_BRAIN: "" } },
  { name: "lxc", line: (verb) => [`/usr/bin/lxc-${verb}`] },
];

type Call = (tool: Tool, verb: string, ...args: string[]) => Promise<number>;

/** One command; `before` and `after` are not timed. */
interface Series {
  readonly command: string;
  readonly before?: (tool: Tool) => Promise<unknown>;
  readonly run: (tool: Tool) => Promise<number>;
  readonly after?: (tool: Tool) => Promise<unknown>;
}

function series(call: Call): Series[] {
  const start = (tool: Tool) => call(tool, "start", "-n", tool.name);
  const kill = (tool: Tool) => call(tool, "stop", "-n", tool.name, "-k");
  return [
    { command: "start", run: start, after: kill },
    { command: "stop -k", before: start, run: kill },
    {
      command: "attach",
      before: start,
      run: (tool) => call(tool, "attach", "-n", tool.name, "--", "/bin/true"),
      after: kill,
    },
    {
      command: "info",
      before: start,
      run: (tool) => call(tool, "info", "-n", tool.name),
      after: kill,
    },
    {
      command: `ls -f of ${DEFINED}`,
      before: start,
      run: (tool) => call(tool, "ls", "-f"),
      after: kill,
    },
  ];
}

/** Both in turn, so that a busy moment of the host touches each alike. */
async function measure(all: readonly Series[]): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const { command, before, run, after } of all) {
    const times = TOOLS.map((): number[] => []);
    for (let round = 0; round <= RUNS; round++) {
      for (const [index, tool] of TOOLS.entries()) {
        await before?.(tool);
        const elapsed = await run(tool);
        await after?.(tool);
        if (round > 0) times[index]!.push(elapsed); // the first round warms the caches
      }
    }
    for (const [index, { name }] of TOOLS.entries()) {
      measured.push({ runtime: name, command, figures: summarize(times[index]!) });
    }
  }
  return measured;
}

/** Of the parents of inits. */
async function monitors(call: Call, systems: Systems): Promise<string> {
  const rows = [["kB of a monitor", "resident", "PSS", "private"]];
  for (const tool of TOOLS) {
    await call(tool, "start", "-n", tool.name);
    const [program, ...args] = [...tool.line("info"), "-P", systems.path, "-n", tool.name, "-pH"];
    const { env = {} } = tool;
    const { stdout } = await new Deno.Command(program!, { args, env, stdin: "null" }).output();
    const { resident, share, own } = memoryOf(parentOf(Number(new TextDecoder().decode(stdout))));
    rows.push([tool.name, ...[resident, share, own].map(String)]);
    await call(tool, "stop", "-n", tool.name, "-k");
  }
  return align(rows);
}

await using systems = new Systems();
const call: Call = async (tool, verb, ...words) => {
  const [program, ...args] = [...tool.line(verb), "-P", systems.path, ...words];
  const begin = performance.now();
  const { success } = await new Deno.Command(program!, { args, env: tool.env ?? {}, ...QUIET })
    .output();
  const elapsed = performance.now() - begin;
  if (!success) throw new Error(`${[program, ...args].join(" ")} failed`);
  return elapsed;
};
for (const { name } of TOOLS) systems.add(name, [], INIT);
for (let count = TOOLS.length; count < DEFINED; count++) systems.define(`c${count}`, []);
console.log(plainTable("ms: min / median / p90", await measure(series(call))));
console.log(await monitors(call, systems));
