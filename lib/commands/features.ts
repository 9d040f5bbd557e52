import { jsonDocument } from "../base/json_document.ts";
import { defineCommand } from "../cli/types.ts";
import { features } from "../container/features.ts";

export const command = defineCommand({
  name: "features",
  group: "configuration",
  summary: "print what this runtime implements as JSON",
  description: ["The document is that of the specification, whatever the host can do."],
  arguments: {},
  options: {},
  examples: [{ text: "the mount options", command: "runts features | jq .mountOptions" }],
  async run({ print }) {
    print(jsonDocument(await features()));
  },
});
