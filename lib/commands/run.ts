import { defineCommand } from "../cli/types.ts";
import { run } from "../container/run.ts";
import { CREATE_OPTIONS, NEW_CONTAINER } from "./create_options.ts";

export const command = defineCommand({
  name: "run",
  group: "lifecycle",
  summary: "create a container, start it and wait for its end",
  description: [
    "The exit code is that of the program, or 128 and the number of the signal that ended it. " +
    "Afterwards the container is deleted.",
  ],
  arguments: { id: NEW_CONTAINER },
  options: {
    ...CREATE_OPTIONS,
    detach: { short: "d", description: "return as soon as the program runs" },
    keep: { description: "do not delete the container when it has stopped" },
  },
  examples: [
    { text: "in the foreground", command: "runts run --bundle /srv/web web" },
    { text: "in the background", command: "runts run --detach --bundle /srv/web web" },
  ],
  run({ runtime, args, options }) {
    return run(runtime, { ...args, ...options, adoptOrphans: !options.noSubreaper });
  },
});
