import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { readCgroup, writeCgroup } from "../lxc/life/cgroup.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { LXC_COMMAND, LXC_NAMED, namedWords, versionWanted } from "./lxc_shared.ts";

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
    const { runtime, print } = context;
    if (versionWanted(context)) return;
    const { choice, rest: [file, ...values] } = namedWords(context);
    const id = systemIdOf(runtime, choice);
    if (file === undefined) throw new RuntsError("missing argument FILE");
    if (values.length === 0) return print(readCgroup(runtime, id, file));
    writeCgroup(runtime, id, file, values.join(" "));
  },
});
