import { parseDuration } from "../cli/size.ts";
import { type Sample, statsLine, statsTable } from "../cli/stats_view.ts";
import { defineCommand } from "../cli/types.ts";
import { type ContainerEvent, events, stats } from "../container/events.ts";
import { formatJson } from "../spec/json/json.ts";
import { CONTAINER } from "./shared.ts";

type Format = "json" | "line" | "table";

export const command = defineCommand({
  name: "events",
  group: "live",
  summary: "show what a container uses, and when it runs out of memory",
  description: [
    "Prints statistics at every interval until the container stops, and each lack of memory as " +
    "it happens. On a terminal, line and table are refreshed in place.",
  ],
  arguments: { id: CONTAINER },
  options: {
    stats: { description: "print the statistics once" },
    interval: { value: "TIME", description: 'between two statistics, as "500ms" (default: 5s)' },
    format: {
      short: "f",
      value: "FORMAT",
      choices: ["json", "line", "table"],
      description: "json (default), one line or a table to read",
    },
  },
  examples: [
    { text: "once, for a program", command: "runts events --stats web" },
    { text: "watch it", command: "runts events --format table --interval 1s web" },
  ],
  async run({ runtime, args, options, print }) {
    const interval = parseDuration('option "--interval"', options.interval ?? "5s");
    const show = viewer(options.format ?? "json", print);
    const now = async (): Promise<ContainerEvent> => ({
      type: "stats",
      id: args.id,
      data: await stats(runtime, args),
    });
    if (options.stats) return show(await now());
    if (options.format !== undefined && options.format !== "json") show(await now());
    for await (const event of events(runtime, { ...args, interval })) show(event);
  },
});

/** Prints events one by one. */
function viewer(format: Format, print: (text: string) => void): (event: ContainerEvent) => void {
  if (format === "json") return (event) => print(`${formatJson(event)}\n`);
  const inPlace = Deno.stdout.isTerminal();
  let before: Sample | undefined;
  return (event) => {
    if (event.type === "oom") return print("out of memory\n");
    const now = { stats: event.data, time: performance.now() };
    const text = format === "line" ? `${statsLine(now, before)}\n` : statsTable(now, before);
    print(inPlace && before !== undefined ? `${overwrite(text)}${text}` : text);
    before = now;
  };
}

/** Moves to the first of as many lines as the text has, and clears from there (console_codes(4)). */
function overwrite(text: string): string {
  return `\x1b[${text.split("\n").length - 1}A\x1b[J`;
}
