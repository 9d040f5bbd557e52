import { defineCommand } from "../cli/types.ts";
import { ps, psTable } from "../container/ps.ts";
import { CONTAINER, FORMAT } from "./shared.ts";

export const command = defineCommand({
  name: "ps",
  group: "inspect",
  summary: "list the processes of a container",
  description: [
    "The table is that of ps(1), cut down to the processes of the container; what follows " +
    "CONTAINER is passed on to ps. JSON is the list of process ids, as the host sees them.",
  ],
  arguments: {
    id: CONTAINER,
    options: {
      value: "PS-OPTION",
      description: "options of ps (default: -ef)",
      optional: true,
      rest: "words",
    },
  },
  options: { format: FORMAT },
  examples: [
    { text: "what runs in it", command: "runts ps web" },
    { text: "with columns of your choice", command: "runts ps web -o pid,rss,args" },
  ],
  async run({ runtime, args, options, print }) {
    const pids = await ps(runtime, args);
    if (options.format === "json") print(`${JSON.stringify(pids)}\n`);
    else print(await psTable(runtime, args.id, pids, args.options));
  },
});
