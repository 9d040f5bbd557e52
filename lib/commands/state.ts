import { jsonDocument } from "../base/json_document.ts";
import { defineCommand } from "../cli/types.ts";
import { state } from "../container/state.ts";
import { CONTAINER } from "./shared.ts";

export const command = defineCommand({
  name: "state",
  group: "inspect",
  summary: "print the state of a container as JSON",
  arguments: { id: CONTAINER },
  options: {},
  examples: [{ text: "see what became of a container", command: "runts state web" }],
  async run({ runtime, args, print }) {
    print(jsonDocument(await state(runtime, args)));
  },
});
