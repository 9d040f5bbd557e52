import { parseDuration } from "../cli/size.ts";
import { type Sample, statsLine, statsTable } from "../cli/stats_view.ts";
import { defineCommand } from "../cli/types.ts";
import { type ContainerEvent, events, stats } from "../container/events.ts";
import { formatJson } from "../spec/json/json.ts";
import { RuntsError } from "../base/errors.ts";
import { CONTAINER } from "./shared.ts";

const HELP = 'see "runts events --help"';

type Format = "json" | "line" | "table";

export const command = defineCommand({
  name: "events",
  group: "live",
  summary: "show what a container uses, and when it runs out of memory",
  description: [
    "Prints statistics at every interval until the container stops, and each lack of memory as " +
    "it happens. On a terminal, line and table are refreshed in place.",
    "With --follow or --since it is what becomes of supervised containers: created, started, " +
    "exited, oom, restarting, removed and lost, and states of system containers, one JSON object a line, with a number that has no " +
    "gap; of all containers unless one is named.",
  ],
  arguments: { id: { ...CONTAINER, optional: true } },
  options: {
    stats: { description: "print the statistics once" },
    interval: { value: "TIME", description: 'between two statistics, as "500ms" (default: 5s)' },
    format: {
      short: "f",
      value: "FORMAT",
      choices: ["json", "line", "table"],
      description: "json (default), one line or a table to read",
    },
    follow: { description: "tell what becomes of supervised containers from now on" },
    since: {
      value: "N",
      integer: true,
      description: "tell what became of them after the event of this number",
    },
  },
  examples: [
    { text: "once, for a program", command: "runts events --stats web" },
    { text: "watch it", command: "runts events --format table --interval 1s web" },
    { text: "what becomes of containers", command: "runts events --follow --since 0" },
  ],
  async run({ runtime, args: { id }, options, print, columns, signal }) {
    const { follow = false, since } = options;
    if (follow || since !== undefined) {
      refuseStatistics(options, follow ? "--follow" : "--since");
      const { supervisionEvents } = await import("../supervise/events.ts");
      const wanted = {
        follow,
        ...(id !== undefined && { id }),
        ...(since !== undefined && { since }),
        ...(signal && { signal }),
      };
      const told = supervisionEvents(runtime, wanted);
      for await (const event of told) print(`${JSON.stringify(event)}\n`);
      return;
    }
    if (id === undefined) {
      throw new RuntsError("missing argument CONTAINER", { command: "events", hint: HELP });
    }
    const args = { id };
    const interval = parseDuration('option "--interval"', options.interval ?? "5s");
    const format = options.format ?? "json";
    const inPlace = format !== "json" && await columns() !== undefined;
    const show = viewer(format, print, inPlace);
    const now = async (): Promise<ContainerEvent> => ({
      type: "stats",
      id: args.id,
      data: await stats(runtime, args),
    });
    if (options.stats) return show(await now());
    if (format !== "json") show(await now());
    const watched = { ...args, interval, ...(signal && { signal }) };
    for await (const event of events(runtime, watched)) show(event);
  },
});

/** What becomes of containers has neither a form nor a time to choose. */
function refuseStatistics(
  given: { readonly [name: string]: unknown },
  mode: string,
): void {
  const name = ["stats", "interval", "format"].find((name) => given[name] !== undefined);
  if (name === undefined) return;
  throw new RuntsError(`options "--${name}" and "${mode}" exclude each other`, {
    command: "events",
    hint: `"--${name}" is about statistics`,
  });
}

/** Prints events one by one. */
function viewer(
  format: Format,
  print: (text: string) => void,
  inPlace: boolean,
): (event: ContainerEvent) => void {
  if (format === "json") return (event) => print(`${formatJson(event)}\n`);
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
