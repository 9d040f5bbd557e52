import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { checkpointSystem } from "../lxc/life/checkpoint.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc checkpoint",
  group: "system",
  summary: "write the processes of a container to disk, or bring them back",
  description: [
    "By criu (https://criu.org). The container goes on unless it is to stop. What its network has is not in the " +
    "image: lxc.net makes it again.",
  ],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    checkpointDir: {
      short: "D",
      value: "DIR",
      description: "directory of the image",
      complete: "directory",
    },
    restore: { short: "r", description: "start the container out of the image" },
    stop: { short: "s", description: "stop the container once the image is made" },
    preDump: { short: "p", description: "only what its memory holds; it goes on" },
    predumpDir: {
      value: "DIR",
      description: "image of the pre-dump before, relative to this one",
      complete: "directory",
    },
    daemon: { short: "d", description: "with --restore, go on in the background; the default" },
    foreground: { short: "F", description: "with --restore, stay joined to its console" },
    verbose: { short: "v", description: "of LXC: criu's log is verbose anyway", hidden: true },
    actionScript: { short: "A", value: "PATH", description: "not supported", hidden: true },
  },
  examples: [
    { text: "and stop it", command: "runts lxc checkpoint -s -D /srv/image web" },
    { text: "and start it from there", command: "runts lxc checkpoint -r -D /srv/image web" },
  ],
  async run(context) {
    if (versionWanted(context)) return;
    const { runtime, criu, args, options } = context;
    const { checkpointDir: imagePath, restore, stop, foreground, preDump, predumpDir } = options;
    check(options);
    const choice = choiceOf(context, args.name);
    const image = { ...(criu !== undefined && { criu }), imagePath: imagePath! };
    if (!restore) {
      return await checkpointSystem(runtime, {
        ...image,
        id: systemIdOf(runtime, choice),
        ...(stop && { stop }),
        ...(preDump && { preDump }),
        ...(predumpDir !== undefined && { parentPath: predumpDir }),
      });
    }
    const { startSystem } = await import("../lxc/life/start.ts");
    const started = await startSystem(runtime, {
      ...choice,
      image,
      ...(foreground && { foreground }),
    });
    if (started.already) throw new RuntsError("the container runs already");
    if (started.foreground !== undefined) {
      const { stayInForeground } = await import("./lxc_foreground.ts");
      await stayInForeground(started.foreground);
    }
  },
});

/** What contradicts itself, or is missing. */
function check(
  { checkpointDir, restore, stop, preDump, foreground, actionScript }: {
    checkpointDir?: string;
    restore?: boolean;
    stop?: boolean;
    preDump?: boolean;
    foreground?: boolean;
    actionScript?: string;
  },
): void {
  if (checkpointDir === undefined) throw new RuntsError('option "--checkpoint-dir" is missing');
  if (restore && (stop || preDump)) {
    throw new RuntsError("--restore contradicts --stop and --pre-dump");
  }
  if (foreground && !restore) throw new RuntsError("--foreground is for --restore");
  if (actionScript !== undefined) {
    throw new RuntsError("criu runs no action scripts for runts", {
      hint: "a configuration file of criu can name one: /etc/criu/runc.conf",
    });
  }
}
