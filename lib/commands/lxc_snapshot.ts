import { absolute } from "../base/absolute.ts";
import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import {
  destroySnapshot,
  listSnapshots,
  restoreSnapshot,
  takeSnapshot,
} from "../lxc/store/snapshot.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, versionWanted } from "./lxc_shared.ts";
import { untilSignal } from "./lxc_signals.ts";

export const command = defineCommand({
  name: "lxc snapshot",
  group: "system",
  summary: "keep the state of a container, or bring it back",
  description: [
    "Without another choice the state is kept as snap0, snap1 and so on, in the directory snaps of the " +
    "container. A container that runs cannot be kept.",
  ],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    list: { short: "L", description: "list what was kept" },
    showcomments: { short: "C", description: "with --list: what was said of each" },
    comment: {
      short: "c",
      value: "FILE",
      description: "what is to be said of the state",
      complete: "file",
    },
    restore: { short: "r", value: "SNAPSHOT", description: "bring the container back to a state" },
    newname: { short: "N", value: "NAME", description: "with --restore: make another container" },
    destroy: { short: "d", value: "SNAPSHOT", description: "remove a state; ALL: all of them" },
  },
  examples: [
    { text: "before something is tried", command: "runts lxc snapshot -n web" },
    { text: "back again", command: "runts lxc snapshot -n web -r snap0" },
  ],
  async run(context) {
    const { runtime, args, options, print } = context;
    if (versionWanted(context)) return;
    const { list, showcomments, comment, restore, newname, destroy } = options;
    const { name, lxcpath } = choiceOf(context, args.name);
    const named = { name, lxcpath };
    const chosen = [list, restore, destroy].filter((one) => one !== undefined).length;
    if (chosen > 1) {
      throw new RuntsError("only one of --list, --restore and --destroy can be given");
    }
    if (list) {
      const found = await listSnapshots(runtime, named);
      if (found.length === 0) return print("No snapshots\n");
      for (const snapshot of found) {
        print(`${snapshot.name} (${snapshot.path}) ${snapshot.time}\n`);
        if (showcomments && snapshot.comment !== undefined) print(snapshot.comment);
      }
      return;
    }
    if (destroy !== undefined) {
      return await destroySnapshot(runtime, { ...named, snapshot: destroy });
    }
    await untilSignal(async (signal) => {
      if (restore !== undefined) {
        return await restoreSnapshot(runtime, {
          ...named,
          snapshot: restore,
          newName: newname,
          signal,
        });
      }
      const file = comment === undefined ? undefined : absolute(runtime.caller, comment);
      await takeSnapshot(runtime, { ...named, comment: file, signal });
    });
  },
});
