import { defineCommand } from "../cli/types.ts";
import { start } from "../container/start.ts";
import { CONTAINER, TRACE } from "./shared.ts";

export const command = defineCommand({
  name: "start",
  group: "lifecycle",
  summary: "run the program of a created container",
  arguments: { id: CONTAINER },
  options: TRACE,
  examples: [{ text: "start what create has made", command: "runts start web" }],
  async run({ runtime, args, signal }) {
    await start(runtime, { ...args, ...(signal && { signal }) });
  },
});
