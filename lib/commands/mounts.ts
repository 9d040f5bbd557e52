import { defineCommand } from "../cli/types.ts";
import { addMounts, removeMounts } from "../container/mounts.ts";
import { parseJson } from "../spec/json/json.ts";
import type { Mount } from "../spec/types/config.ts";
import { givenText } from "./given_text.ts";
import { CONTAINER } from "./shared.ts";

export const command = defineCommand({
  name: "mounts",
  group: "live",
  summary: "mount directories in a container that exists, or unmount them",
  description: [
    "The file has a list of mounts as in config.json. Added are bind mounts, whose source is on the host, and " +
    "tmpfs; when one fails, none is there. Of those to remove only the destination counts.",
  ],
  arguments: {
    action: { value: "ACTION", description: "add or remove", choices: ["add", "remove"] },
    id: CONTAINER,
    file: {
      value: "FILE",
      description: "a JSON file; -: the standard input",
      complete: "file",
    },
  },
  options: {},
  examples: [
    { text: "for a while", command: "runts mounts add web volumes.json" },
    {
      text: "from a program",
      command: `echo '[{"destination":"/data"}]' | runts mounts remove web -`,
    },
  ],
  async run({ runtime, args: { action, id, file } }) {
    const { text, name } = await givenText(runtime, file);
    const change = action === "add" ? addMounts : removeMounts;
    await change(runtime, { id, mounts: parseJson(text, name) as Mount[], file: name });
  },
});
