import { defineCommand } from "../cli/types.ts";
import { toStderr } from "../cli/log.ts";
import { startSystem } from "../lxc/life/start.ts";
import { choiceOf, DEFINE, LXC_COMMAND, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc start",
  group: "system",
  summary: "start a container",
  description: [
    "Returns once its init runs. What keeps it from running is told in one line, with the line of the " +
    "configuration. A container that runs already is left alone.",
  ],
  arguments: { words: LXC_COMMAND },
  options: {
    ...LXC_NAMED,
    rcfile: { ...LXC_NAMED.rcfile, short: "f" },
    define: DEFINE,
    daemon: { short: "d", description: "go on in the background; the default" },
    foreground: {
      short: "F",
      description:
        "stay joined to its console until it has stopped, and hand signals on to its init",
    },
    pidfile: {
      short: "p",
      value: "FILE",
      description: "write the pid of its monitor there",
      complete: "file",
    },
  },
  examples: [{ text: "a container", command: "runts lxc start -n web" }],
  async run(context) {
    const { runtime, args: { words }, options } = context;
    if (versionWanted(context)) return;
    const named = options.name !== undefined;
    const command = named ? words : words.slice(1);
    const { already, monitor, foreground } = await startSystem(runtime, {
      ...choiceOf(context, named ? undefined : words[0]),
      ...(options.foreground && { foreground: true }),
      ...(command.length > 0 && { command }),
    });
    if (already) return toStderr("warning", "the container runs already");
    if (options.pidfile !== undefined) {
      await Deno.writeTextFile(options.pidfile, String(monitor));
    }
    if (foreground !== undefined) {
      const { stayInForeground } = await import("./lxc_foreground.ts");
      await stayInForeground(foreground);
    }
  },
});
