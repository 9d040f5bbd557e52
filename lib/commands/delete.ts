import { defineCommand } from "../cli/types.ts";
import { remove } from "../container/delete.ts";
import { CONTAINER, matching, REGEX } from "./shared.ts";

export const command = defineCommand({
  name: "delete",
  group: "lifecycle",
  summary: "remove a stopped container",
  description: ["Removes what create has made: the state, the cgroup, and nothing else."],
  arguments: { id: CONTAINER },
  options: {
    force: {
      short: "f",
      description: "kill it first if it lives; an unknown container is no error",
    },
    regex: REGEX,
  },
  examples: [
    { text: "remove a stopped container", command: "runts delete web" },
    { text: "remove it whatever its state", command: "runts delete --force web" },
  ],
  async run({ runtime, args, options, signal }) {
    for (const id of await matching(runtime, args.id, options.regex)) {
      await remove(runtime, {
        id,
        force: options.force === true,
        ...(signal && { signal }),
      });
    }
  },
});
