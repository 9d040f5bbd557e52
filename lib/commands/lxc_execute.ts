import { isRuntsError, RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { startSystem } from "../lxc/life/start.ts";
import { stayInForeground } from "./lxc_foreground.ts";
import {
  DEFINE,
  LXC_COMMAND,
  LXC_NAMED,
  namedCommand,
  settingsOf,
  versionWanted,
} from "./lxc_shared.ts";

/** Exit code for what kept the program from running. */
const NOT_EXECUTED = 255;

export const command = defineCommand({
  name: "lxc execute",
  group: "system",
  summary: "run one program in a container of its own",
  description: [
    "The program is a child of an init that reaps orphans, and the container ends with the last of its " +
    "processes. The exit code is that of the program. Without COMMAND it is lxc.execute.cmd.",
  ],
  arguments: { words: LXC_COMMAND },
  options: {
    ...LXC_NAMED,
    rcfile: { ...LXC_NAMED.rcfile, short: "f" },
    define: DEFINE,
    daemon: { short: "d", description: "go on in the background" },
    uid: { short: "u", value: "UID", integer: true, description: "user in the container" },
    gid: { short: "g", value: "GID", integer: true, description: "group in the container" },
  },
  examples: [{ text: "a program", command: "runts lxc execute -n web -- uname -a" }],
  async run(context) {
    const { runtime, options } = context;
    if (versionWanted(context)) return;
    const { choice, command } = namedCommand(context);
    const { uid, gid, daemon = false } = options;
    const terminal = !daemon && Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
    try {
      const { already, foreground } = await startSystem(runtime, {
        ...choice,
        define: await settingsOf(runtime, options),
        command,
        foreground: !daemon,
        execute: {
          terminal,
          ...(uid !== undefined && { uid }),
          ...(gid !== undefined && { gid }),
        },
      });
      if (already) throw new RuntsError("the container runs already");
      return foreground === undefined ? 0 : await stayInForeground(foreground);
    } catch (error) {
      throw isRuntsError(error) ? error.with({ exitCode: NOT_EXECUTED }) : error;
    }
  },
});
