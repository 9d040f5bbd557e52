import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { autostart, type AutostartAction, chosenContainers } from "../lxc/autostart.ts";
import { LXC_COMMON, secondsOf, versionWanted } from "./lxc_shared.ts";

const TIMEOUT_SECONDS = 60;
/** Exit codes where nothing, or not all, could be done. */
const ALL_FAILED = 1;
const SOME_FAILED = 2;

export const command = defineCommand({
  name: "lxc autostart",
  group: "system",
  summary: "start the containers that start with the host",
  description: [
    "Those with lxc.start.auto = 1: a lower lxc.start.order first, and a pause of lxc.start.delay behind each. " +
    "Those of one order without a pause are started beside each other. Without a choice of groups those that are " +
    "in none. The exit code is 1 when all fail, and 2 when some do.",
  ],
  arguments: {},
  options: {
    ...LXC_COMMON,
    list: { short: "L", description: "list them, with the pauses" },
    shutdown: { short: "s", description: "stop those that run, in the reverse order" },
    kill: { short: "k", description: "kill those that run, in the reverse order" },
    reboot: { short: "r", description: "ask those that run to start anew" },
    groups: {
      short: "g",
      value: "GROUPS",
      repeat: true,
      description:
        "those in one of the groups, which commas separate, group by group; an empty name stands for " +
        "those in no group",
    },
    all: { short: "a", description: "whatever group they are in" },
    ignoreAuto: { short: "A", description: "also without lxc.start.auto = 1" },
    timeout: {
      short: "t",
      value: "SECONDS",
      description: "before one that does not stop is killed (default: 60)",
    },
  },
  examples: [
    { text: "when the host boots", command: "runts lxc autostart -g onboot," },
    { text: "when it halts", command: "runts lxc autostart -a -A -s" },
  ],
  async run(context) {
    const { runtime, options, print, signal } = context;
    if (versionWanted(context)) return;
    const { list, shutdown, kill, reboot, groups = [""], all = false, ignoreAuto = false } =
      options;
    const actions = [
      ...(shutdown ? ["stop" as const] : []),
      ...(kill ? ["kill" as const] : []),
      ...(reboot ? ["reboot" as const] : []),
    ];
    if (actions.length > 1) {
      throw new RuntsError("only one of --shutdown, --kill and --reboot can be given");
    }
    const action: AutostartAction = actions[0] ?? "start";
    const seconds = secondsOf(options.timeout) ?? TIMEOUT_SECONDS;
    const chosen = {
      ...{ lxcpath: options.lxcpath, action, allGroups: all, ignoreAuto },
      groups: groups.flatMap((names) => names.split(",")),
      timeout: seconds < 0 ? -1 : seconds * 1000,
      signal,
    };
    if (list) {
      const withPauses = action === "start" || action === "reboot";
      const found = await chosenContainers(runtime, chosen);
      return print(
        found.map(({ name, delay }) => withPauses ? `${name} ${delay}\n` : `${name}\n`).join(""),
      );
    }
    const { done, failed } = await autostart(runtime, chosen);
    if (failed > 0) return done === 0 ? ALL_FAILED : SOME_FAILED;
  },
});
