import { defineCommand } from "../cli/types.ts";
import { restart } from "../supervise/restart.ts";
import { CONTAINER, stopTime, TIMEOUT } from "./shared.ts";

export const command = defineCommand({
  name: "restart",
  group: "supervision",
  summary: "stop a supervised container, if it runs, and start it anew",
  description: ["It has the configuration that it was created with."],
  arguments: { id: CONTAINER },
  options: { timeout: TIMEOUT },
  examples: [{ text: "start it anew", command: "runts restart web" }],
  async run({ runtime, args, options }) {
    await restart(runtime, { ...args, ...stopTime(options) });
  },
});
