import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { checkBacking } from "../lxc/store/backing.ts";
import { copyContainer } from "../lxc/store/copy.ts";
import { LXC_COMMAND, LXC_NAMED, namedWords, versionWanted } from "./lxc_shared.ts";
import { untilSignal } from "./lxc_signals.ts";

export const command = defineCommand({
  name: "lxc copy",
  group: "system",
  summary: "copy a container, or rename it",
  description: [
    "The copy has data of its own, or with --snapshot an overlay on those of the container, which has to " +
    "stay then. It has another host name and other addresses of network devices. What follows of -- are " +
    "arguments of the clone hooks. When it fails, nothing of the copy is left.",
    "With --ephemeral the copy is started, and removed when it has stopped.",
  ],
  arguments: {
    words: {
      ...LXC_COMMAND,
      value: "[NAME] [ARGUMENT]",
      description: "the container, unless --name gives it, and arguments of its clone hooks",
    },
  },
  options: {
    ...LXC_NAMED,
    newname: { short: "N", value: "NAME", description: "of the copy" },
    newpath: {
      short: "p",
      value: "DIR",
      description: "directory of containers for the copy (default: the same)",
      complete: "directory",
    },
    rename: { short: "R", description: "copy nothing: the container gets the other name" },
    snapshot: { short: "s", description: "an overlay on the container's root filesystem" },
    allowrunning: { short: "a", description: "of a container that runs, with --snapshot" },
    backingstorage: { short: "B", value: "KIND", description: "dir or overlay" },
    keepname: { short: "K", description: "with the host name of the container" },
    keepmac: { short: "M", description: "with the addresses of its network devices" },
    ephemeral: { short: "e", description: "start the copy, and remove it when it has stopped" },
    keepdata: { short: "D", description: "with --ephemeral: it is not removed" },
    mount: {
      short: "m",
      value: "MOUNTS",
      repeat: true,
      description:
        "with --ephemeral: bind=SOURCE[:TARGET[:ro]] or overlay=SOURCE[:TARGET], separated by commas",
    },
    tmpfs: { short: "t", description: "with --ephemeral: changes are kept in memory" },
    foreground: { short: "F", description: "with --ephemeral: stay joined to its console" },
    daemon: { short: "d", description: "with --ephemeral: in the background; the default" },
    fssize: { short: "L", value: "SIZE", description: "of LXC: has no effect", hidden: true },
  },
  examples: [
    { text: "with data of its own", command: "runts lxc copy -n web -N web2" },
    { text: "something to try out", command: "runts lxc copy -n web -e" },
  ],
  async run(context) {
    const { runtime, options } = context;
    if (versionWanted(context)) return;
    const { rename, snapshot, ephemeral, newname, newpath } = options;
    const { choice: { name, lxcpath }, rest: hookArgs } = namedWords(context);
    const kind = checkBacking(options.backingstorage ?? (snapshot ? "overlay" : "dir"), [
      ...["dir", "overlay"],
    ]);
    if (rename && (snapshot || ephemeral)) {
      throw new RuntsError("--rename cannot be given with --snapshot or --ephemeral");
    }
    if (ephemeral) {
      const { copyEphemeral } = await import("./lxc_copy_ephemeral.ts");
      return await copyEphemeral(context, { name, lxcpath, hookArgs });
    }
    if (newname === undefined) {
      throw new RuntsError("the copy is not named", { hint: "use -N NAME" });
    }
    const common = { name, lxcpath, newName: newname, newPath: newpath, hookArgs };
    if (rename) {
      const { renameContainer } = await import("../lxc/store/rename.ts");
      return await renameContainer(runtime, common);
    }
    if (snapshot && kind !== "overlay") {
      throw new RuntsError("what --snapshot makes is an overlay", { hint: "leave -B away" });
    }
    if (!snapshot && kind === "overlay") {
      throw new RuntsError("an overlay is made with --snapshot");
    }
    await untilSignal((signal) =>
      copyContainer(runtime, {
        ...common,
        ...{ snapshot, keepName: options.keepname, keepAddresses: options.keepmac },
        ...{ allowRunning: options.allowrunning, signal },
      })
    );
  },
});
