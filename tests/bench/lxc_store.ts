/**
 * `deno task bench:lxc-store`: containers on disk, and many of them: LXC's commands of runts, by a warm brain and
 * cold, beside those of LXC itself, in turn. Needs root and the packages lxc and rsync, with which LXC copies. It prints times and what
 * is left; it is no test.
 *
 * `deno task bench:lxc-store [--quick]`
 */

import { RUNTIME } from "../support/runtime.ts";
import { WarmBrain } from "../support/warm.ts";
import { QUIET } from "./quiet.ts";
import { type Measured, plainTable, summarize } from "./report.ts";

const ROUNDS = Deno.args.includes("--quick") ? 3 : 10;
/** Containers that `ls` finds, and that `autostart` starts. */
const LISTED = 200;
const STARTED = 50;
const CONFIG = "lxc.net.0.type = empty\nlxc.apparmor.profile = unconfined\n";

/** Whose commands they are. */
await using brain = await WarmBrain.start();
const line = (verb: string) => [RUNTIME, "lxc", verb];
const TOOLS = [
  { name: "runts", line, env: { ...brain.env } },
  { name: "cold", line, env: { RUNTS_BRAIN: "" } },
  { name: "lxc", line: (verb: string) => [`/usr/bin/lxc-${verb}`], env: {} },
] as const;
type Tool = (typeof TOOLS)[number];

const base = await Deno.makeTempDir({ prefix: "runts-bench-lxc-" });
const configFile = `${base}/config`;
await Deno.writeTextFile(configFile, CONFIG);

/** Each has a directory of containers of its own for each purpose. */
function pathOf({ name }: Tool, purpose: string): string {
  return `${base}/${name}-${purpose}`;
}

/** ms of a command, which must succeed. */
async function call(
  tool: Tool,
  purpose: string,
  verb: string,
  ...words: string[]
): Promise<number> {
  const [program, ...args] = [...tool.line(verb), "-P", pathOf(tool, purpose), ...words];
  const begin = performance.now();
  const { success } = await new Deno.Command(program!, { args, env: tool.env, ...QUIET }).output();
  if (!success) throw new Error(`${[program, ...args].join(" ")} failed`);
  return performance.now() - begin;
}

/** One command; what is behind it is not timed. */
interface Series {
  readonly command: string;
  readonly run: (tool: Tool) => Promise<number>;
  readonly after?: (tool: Tool) => Promise<unknown>;
}

const create = (tool: Tool, purpose: string, name: string) =>
  call(tool, purpose, "create", "-n", name, "-t", "busybox", "-f", configFile);
const destroy = (tool: Tool) => call(tool, "store", "destroy", "-n", "new");

/** A file tree of some size in the root filesystem that is copied. */
async function fill(rootfs: string): Promise<void> {
  for (let directory = 0; directory < 40; directory++) {
    const path = `${rootfs}/srv/${directory}`;
    await Deno.mkdir(path, { recursive: true });
    for (let file = 0; file < 50; file++) {
      await Deno.writeFile(`${path}/${file}`, new Uint8Array(20_000).fill(file));
    }
  }
}

async function prepare(tool: Tool): Promise<void> {
  for (const purpose of ["store", "many", "auto"]) await Deno.mkdir(pathOf(tool, purpose));
  await create(tool, "store", "old");
  await fill(`${pathOf(tool, "store")}/old/rootfs`);
  for (let count = 0; count < LISTED; count++) {
    const directory = `${pathOf(tool, "many")}/c${count}`;
    await Deno.mkdir(directory);
    await Deno.writeTextFile(`${directory}/config`, `${CONFIG}lxc.group = g${count % 5}\n`);
  }
  await create(tool, "auto", "model");
  const model = `${pathOf(tool, "auto")}/model`;
  const text = await Deno.readTextFile(`${model}/config`);
  for (let count = 0; count < STARTED; count++) {
    const directory = `${pathOf(tool, "auto")}/c${count}`;
    await Deno.mkdir(directory);
    await Deno.writeTextFile(`${directory}/config`, `${text}lxc.start.auto = 1\n`);
  }
}

const SERIES: readonly Series[] = [
  { command: "create -t busybox", run: (tool) => create(tool, "store", "new"), after: destroy },
  {
    command: "copy (2000 files, 40 MB)",
    run: (tool) => call(tool, "store", "copy", "-n", "old", "-N", "new"),
    after: destroy,
  },
  {
    command: "copy -s",
    run: (tool) => call(tool, "store", "copy", "-n", "old", "-N", "new", "-s"),
    after: destroy,
  },
  {
    command: "destroy (2000 files, 40 MB)",
    run: async (tool) => {
      await call(tool, "store", "copy", "-n", "old", "-N", "new");
      return await destroy(tool);
    },
  },
  { command: `ls -f of ${LISTED}`, run: (tool) => call(tool, "many", "ls", "-f") },
  {
    command: `autostart of ${STARTED}`,
    run: (tool) => call(tool, "auto", "autostart"),
    after: (tool) => call(tool, "auto", "autostart", "-k"),
  },
];

/** Both in turn, so that a busy moment of the host touches each alike. */
async function measure(): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const { command, run, after } of SERIES) {
    const times = TOOLS.map((): number[] => []);
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [index, tool] of TOOLS.entries()) {
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

try {
  for (const tool of TOOLS) await prepare(tool);
  console.log(plainTable("ms: min / median / p90", await measure()));
  for (const tool of TOOLS) {
    const left = Array.from(Deno.readDirSync(pathOf(tool, "store")), ({ name }) => name).join(", ");
    console.log(`left by ${tool.name}: ${left}`);
  }
} finally {
  for (const tool of TOOLS) await call(tool, "auto", "autostart", "-k").catch(() => {});
  await Deno.remove(base, { recursive: true });
}
