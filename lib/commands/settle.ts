import { defineCommand } from "../cli/types.ts";
import { isSystem } from "../lxc/life/record.ts";
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
    if (isSystem(runtime, args.id)) {
      const { settleSystem } = await import("../lxc/life/settle.ts");
      await settleSystem(runtime, args);
    } else await settleOf(runtime, args);
  },
});
