import { defineCommand } from "../cli/types.ts";
import { resume } from "../container/pause.ts";
import { CONTAINER } from "./shared.ts";

export const command = defineCommand({
  name: "resume",
  group: "live",
  summary: "let a paused container go on",
  arguments: { id: CONTAINER },
  options: {},
  examples: [{ text: "thaw it", command: "runts resume web" }],
  async run({ runtime, args, signal }) {
    await resume(runtime, { ...args, ...(signal && { signal }) });
  },
});
