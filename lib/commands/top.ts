import { Screen } from "../cli/screen.ts";
import { parseDuration } from "../cli/size.ts";
import { COLUMN_NAMES, type Order, topSummary, topTable } from "../cli/top_view.ts";
import { TopKeys } from "../cli/top_keys.ts";
import { defineCommand } from "../cli/types.ts";
import { RuntsError } from "../base/errors.ts";
import { delay } from "../base/delay.ts";
import { parseFilters } from "../supervise/filter.ts";
import { type Usage, UsageMeter } from "../supervise/usage.ts";

export const command = defineCommand({
  name: "top",
  group: "inspect",
  summary: "watch what the containers below the root use",
  description: [
    "Processor time of one processor in percent, memory and processes against their limits, disk traffic, and the " +
    "share of the last ten seconds in which tasks waited for processors, memory and disks (cgroup v2). On a " +
    "terminal the table is live; elsewhere it is printed once, after one interval.",
    "Keys, as in top(1): q ends; P, M, T and N sort by processor, memory, time and name, < and > by the column " +
    "beside, R turns the order round; a space reads at once, + and - change the interval.",
  ],
  arguments: {},
  options: {
    delay: { short: "d", value: "TIME", description: "between two readings (default: 2s)" },
    iterations: { short: "n", value: "N", integer: true, description: "end after N readings" },
    sort: {
      short: "s",
      value: "COLUMN",
      choices: COLUMN_NAMES,
      description: "what the rows are sorted by (default: cpu)",
    },
    reverse: { short: "r", description: "turn the order round" },
    filter: {
      value: "FILTER",
      repeat: true,
      description: "those with label=KEY[=VALUE], status=STATUS, exited=CODE or name=PART alone",
    },
    json: { description: "print each reading as JSON, in a line" },
  },
  examples: [
    { text: "watch them", command: "runts top" },
    { text: "who uses most memory, once", command: "runts top --sort memory | head -n 3" },
    { text: "for a program, for a minute", command: "runts top --json --delay 5s --iterations 12" },
  ],
  async run({ runtime, options, print }) {
    const { filter = [], iterations, sort = "cpu", reverse = false } = options;
    if (iterations === 0) throw new RuntsError('option "--iterations": 0 readings are none');
    const passes = parseFilters('option "--filter"', filter);
    const meter = new UsageMeter(runtime, (one) => passes({ ...one, ...one.supervision }));
    const wait = parseDuration('option "--delay"', options.delay ?? "2s", 10);
    const order: Order = { by: sort, reverse };
    if (!options.json && Deno.stdout.isTerminal()) {
      return await watch(meter, new TopKeys(order, wait), iterations ?? Infinity);
    }
    await meter.read(); // shares and rates need two
    const endless = options.json && iterations === undefined;
    for (let left = endless ? Infinity : iterations ?? 1; left > 0; left--) {
      await delay(wait);
      const usages = await meter.read();
      print(
        options.json ? `${JSON.stringify(usages)}\n` : `${topTable(usages, order).join("\n")}\n`,
      );
    }
  },
});

/** The live table. */
async function watch(meter: UsageMeter, keys: TopKeys, iterations: number): Promise<void> {
  using screen = new Screen();
  let usages: Usage[] = [];
  for (let readings = 0; readings < iterations;) {
    if (keys.isDue(performance.now())) {
      usages = await meter.read();
      keys.read(performance.now());
      readings++;
    }
    const { columns } = screen.size;
    const head = [topSummary(usages), keys.line, ""].map((line) => line.slice(0, columns));
    screen.show([...head, ...topTable(usages, keys.order, columns, bold)]);
    const key = await screen.key(keys.left(performance.now()));
    if (key !== undefined && keys.press(key) === "end") return;
  }
}

function bold(heading: string): string {
  return `\x1b[1m${heading}\x1b[22m`;
}
