import { defineCommand } from "../cli/types.ts";
import { usernsExec } from "../lxc/life/userns_exec.ts";
import { LXC_COMMON, LXC_PROGRAM, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc usernsexec",
  group: "system",
  summary: "run a program of the host as root of a user namespace",
  description: [
    "It has a mount namespace of its own, too. Without -m the ids are those that /etc/subuid and " +
    "/etc/subgid have for the caller; without COMMAND it is a shell. The exit code is that of the program.",
  ],
  arguments: { words: LXC_PROGRAM },
  options: {
    map: {
      short: "m",
      value: "MAP",
      repeat: true,
      description: "ids, as u:INSIDE:OUTSIDE:COUNT, g for groups, b for both",
    },
    self: { short: "s", description: "map the caller's own ids, too, behind the others" },
    version: LXC_COMMON.version,
  },
  examples: [{
    text: "remove what a container's root has written",
    command: "runts lxc usernsexec -m b:0:100000:65536 -- rm -r files",
  }],
  async run(context) {
    const { runtime, args: { words }, options: { map = [], self = false } } = context;
    if (versionWanted(context)) return;
    return await usernsExec(runtime, { args: words, maps: map, self });
  },
});
