import { defineCommand } from "../cli/types.ts";
import { pause } from "../container/pause.ts";
import { CONTAINER } from "./shared.ts";

export const command = defineCommand({
  name: "pause",
  group: "live",
  summary: "stop all processes of a container where they are",
  arguments: { id: CONTAINER },
  options: {},
  examples: [{ text: "freeze it", command: "runts pause web" }],
  async run({ runtime, args, signal }) {
    await pause(runtime, { ...args, ...(signal && { signal }) });
  },
});
