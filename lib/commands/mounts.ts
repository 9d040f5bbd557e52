import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { addMounts, removeMounts } from "../container/mounts.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { readText } from "../spec/json/document.ts";
import { parseJson } from "../spec/json/json.ts";
import type { Mount } from "../spec/types/config.ts";
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
    const text = await read(runtime, file);
    const name = file === "-" ? "standard input" : file;
    const change = action === "add" ? addMounts : removeMounts;
    await change(runtime, { id, mounts: parseJson(text, name) as Mount[], file: name });
  },
});

async function read({ files }: Runtime, file: string): Promise<string> {
  if (file !== "-") return await readText(files, file);
  try {
    const { readStandardInput } = await import("../cli/standard_input.ts");
    return await readStandardInput();
  } catch (error) {
    if (error instanceof RuntsError) throw error;
    throw new RuntsError("read the standard input", { cause: error });
  }
}
