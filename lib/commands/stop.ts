import { defineCommand } from "../cli/types.ts";
import { stop } from "../supervise/stop.ts";
import { CONTAINER, stopTime, TIMEOUT } from "./shared.ts";

export const command = defineCommand({
  name: "stop",
  group: "lifecycle",
  summary: "ask a container to end, and kill it if it does not",
  description: [
    "The signal is the stop signal of its image, else TERM. A supervised container is not started " +
    "anew, and one that has stopped stays so. Returns once it has stopped.",
  ],
  arguments: { id: CONTAINER },
  options: { timeout: TIMEOUT },
  examples: [{ text: "give it a minute", command: "runts stop --timeout 1m web" }],
  async run({ runtime, args, options, signal }) {
    await stop(runtime, { ...args, ...stopTime(options), ...(signal && { signal }) });
  },
});
