import { jsonDocument } from "../base/json_document.ts";
import { defineCommand } from "../cli/types.ts";
import { inspectContainer } from "../supervise/list.ts";
import { CONTAINER } from "./shared.ts";

export const command = defineCommand({
  name: "inspect",
  group: "inspect",
  summary: "print all that is known of a container as JSON",
  description: [
    "It is the state; of a supervised container also its labels, its log, how it is started anew, " +
    "and its processes with how they ended.",
  ],
  arguments: { id: CONTAINER },
  options: {},
  examples: [{ text: "how it ended", command: "runts inspect web | jq .supervision.exitCode" }],
  async run({ runtime, args, print }) {
    print(jsonDocument(await inspectContainer(runtime, args)));
  },
});
