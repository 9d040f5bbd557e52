import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { stopSystem } from "../lxc/life/stop.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, secondsOf, versionWanted } from "./lxc_shared.ts";

/** Exit code for a container that does not run. */
const NOT_RUNNING = 2;

export const command = defineCommand({
  name: "lxc stop",
  group: "system",
  summary: "stop a container",
  description: [
    "Sends the halt signal of the container, and kills it when it has not stopped in time. The exit " +
    "code is 2 when it does not run.",
  ],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    timeout: { short: "t", value: "SECONDS", description: "before it is killed (default: 60)" },
    reboot: { short: "r", description: "ask it to start anew" },
    nolock: { description: "of LXC: has no effect", hidden: true },
    kill: { short: "k", description: "kill it at once" },
    nowait: { short: "W", description: "do not wait for its end" },
    nokill: { description: "do not kill it when the time is over" },
  },
  examples: [{ text: "within ten seconds", command: "runts lxc stop -n web -t 10" }],
  async run(context) {
    const { runtime, args, options, signal } = context;
    if (versionWanted(context)) return;
    const { kill, nokill, nolock, nowait, reboot, timeout } = options;
    if (kill && (nokill || reboot || timeout !== undefined)) {
      throw new RuntsError("--kill cannot be given with --nokill, --reboot or --timeout");
    }
    if (nolock && !kill) throw new RuntsError("--nolock can be given with --kill only");
    const seconds = secondsOf(timeout);
    const stopped = await stopSystem(runtime, {
      id: systemIdOf(runtime, choiceOf(context, args.name)),
      ...(kill && { kill }),
      ...(reboot && { reboot }),
      ...(nokill && { noKill: true }),
      ...(nowait && { noWait: true }),
      ...(signal && { signal }),
      ...(seconds !== undefined && { timeout: seconds < 0 ? -1 : seconds * 1000 }),
    });
    if (!stopped) {
      throw new RuntsError("the container does not run", { exitCode: NOT_RUNNING });
    }
  },
});
