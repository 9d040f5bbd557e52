import { defineCommand } from "../cli/types.ts";
import { kill } from "../container/kill.ts";
import { parseSignal } from "../spec/values/signals.ts";
import { CONTAINER, matching, REGEX } from "./shared.ts";

export const command = defineCommand({
  name: "kill",
  group: "lifecycle",
  summary: "send a signal to a container",
  description: ["The signal goes to the container's init."],
  arguments: {
    id: CONTAINER,
    signal: {
      value: "SIGNAL",
      description:
        "name or number: KILL, SIGKILL, 9, RTMIN+3 (default: the stop signal of its image, else TERM)",
      optional: true,
      complete: "signal",
    },
  },
  options: {
    all: { short: "a", description: "send it to every process of the container" },
    regex: REGEX,
  },
  examples: [
    { text: "ask it to end", command: "runts kill web" },
    { text: "end it", command: "runts kill web KILL" },
  ],
  async run({ runtime, args, options }) {
    const signal = args.signal === undefined ? {} : { signal: parseSignal(args.signal) };
    for (const id of await matching(runtime, args.id, options.regex)) {
      await kill(runtime, { id, ...signal, all: options.all === true });
    }
  },
});
