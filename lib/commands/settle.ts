import { defineCommand } from "../cli/types.ts";
import { settleOf } from "../supervise/settle.ts";
import { CONTAINER } from "./shared.ts";

/** For monitors. */
export const command = defineCommand({
  name: "settle",
  group: "lifecycle",
  summary: "do what follows of the end of a container",
  arguments: { id: CONTAINER },
  options: {},
  async run({ runtime, args }) {
    await settleOf(runtime, args);
  },
});
