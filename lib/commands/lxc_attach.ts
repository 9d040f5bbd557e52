import { defineCommand } from "../cli/types.ts";
import { attachSystem } from "../lxc/life/attach.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { choiceOf, LXC_COMMAND, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc attach",
  group: "system",
  summary: "run a program in a running container",
  description: ["The exit code is that of the program. Without COMMAND it is a shell."],
  arguments: { words: LXC_COMMAND },
  options: {
    ...LXC_NAMED,
    rcfile: { ...LXC_NAMED.rcfile, short: "f" },
    clearEnv: { description: "nothing of the environment of the caller" },
    keepEnv: { description: "the environment of the caller; the default" },
    keepVar: { value: "NAME", repeat: true, description: "a variable that --clear-env keeps" },
    setVar: { short: "v", value: "NAME=VALUE", repeat: true, description: "one more variable" },
    uid: { short: "u", value: "UID", integer: true, description: "user in the container" },
    gid: { short: "g", value: "GID", integer: true, description: "group in the container" },
  },
  examples: [{ text: "a shell", command: "runts lxc attach -n web" }],
  async run(context) {
    const { runtime, args: { words }, options } = context;
    if (versionWanted(context)) return;
    const named = options.name !== undefined;
    const command = named ? words : words.slice(1);
    return await attachSystem(runtime, {
      id: systemIdOf(runtime, choiceOf(context, named ? undefined : words[0])),
      args: command,
      ...(options.clearEnv && { clearEnv: true }),
      ...(options.keepVar && { keep: options.keepVar }),
      ...(options.setVar && { set: options.setVar }),
      ...(options.uid !== undefined && { uid: options.uid }),
      ...(options.gid !== undefined && { gid: options.gid }),
      tty: [Deno.stdin, Deno.stdout, Deno.stderr].some((one) => one.isTerminal()),
    });
  },
});
