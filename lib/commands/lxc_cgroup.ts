import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { readCgroup, writeCgroup } from "../lxc/life/cgroup.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { choiceOf, LXC_COMMAND, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc cgroup",
  group: "system",
  summary: "print or change a file of a container's cgroup",
  arguments: {
    words: { ...LXC_COMMAND, value: "[NAME] FILE [VALUE]", description: "as memory.max" },
  },
  options: LXC_NAMED,
  examples: [{ text: "its memory", command: "runts lxc cgroup -n web memory.max" }],
  // deno-lint-ignore require-await
  async run(context) {
    const { runtime, args: { words }, options, print } = context;
    if (versionWanted(context)) return;
    const named = options.name !== undefined;
    const [file, ...values] = named ? words : words.slice(1);
    const id = systemIdOf(runtime, choiceOf(context, named ? undefined : words[0]));
    if (file === undefined) throw new RuntsError("missing argument FILE");
    if (values.length === 0) return print(readCgroup(runtime, id, file));
    writeCgroup(runtime, id, file, values.join(" "));
  },
});
