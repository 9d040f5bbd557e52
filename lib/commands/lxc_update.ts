import { defineCommand } from "../cli/types.ts";
import { RuntsError } from "../base/errors.ts";
import { updateFile } from "../lxc/update_file.ts";
import { LXC_COMMON, LXC_FILES, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc update",
  group: "system",
  summary: "bring configurations to the names of keys of today",
  description: [
    "A file that has old names is written anew, line by line, with its comments; FILE.backup keeps " +
    "what it was. Each change is printed, and what is wrong with the file then.",
  ],
  arguments: { files: LXC_FILES },
  options: {
    config: { short: "c", value: "FILE", description: "the same as FILE", complete: "file" },
    dryRun: { description: "print the changes and make none" },
    version: LXC_COMMON.version,
  },
  examples: [{ text: "a container", command: "runts lxc update /var/lib/lxc/web/config" }],
  async run(context) {
    const { runtime, args, options, print } = context;
    if (versionWanted(context)) return;
    const files = [...options.config === undefined ? [] : [options.config], ...args.files];
    if (files.length === 0) throw new RuntsError("missing argument FILE");
    for (const file of files) {
      const lines = await updateFile(runtime, file, options.dryRun === true);
      print(lines.map((line) => `${line}\n`).join(""));
    }
  },
});
