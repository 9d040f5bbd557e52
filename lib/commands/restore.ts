import { defineCommand } from "../cli/types.ts";
import { RuntsError } from "../base/errors.ts";
import { restore } from "../container/restore.ts";
import { NEW_CONTAINER } from "./create_options.ts";
import { IMAGE_OPTIONS, imageOptions } from "./image_options.ts";
import { BUNDLE, PROCESS_OPTIONS } from "./shared.ts";
import { SUPERVISE_OPTIONS, supervision } from "./supervise_options.ts";

const { preserveFds: _, ...STARTING } = PROCESS_OPTIONS;

export const command = defineCommand({
  name: "restore",
  group: "checkpoint",
  summary: "make a container out of a checkpoint",
  description: [
    "The processes go on where they were. Without --detach the exit code is that of the program, as with " +
    "run, and the container is deleted afterwards.",
  ],
  arguments: { id: NEW_CONTAINER },
  options: {
    ...BUNDLE,
    ...STARTING,
    ...IMAGE_OPTIONS,
    ...SUPERVISE_OPTIONS,
    detach: { short: "d", description: "return as soon as the program runs again" },
    tcpClose: { description: "close the TCP connections of the image" },
    lsmProfile: {
      value: "PROFILE",
      description: "apparmor:NAME or selinux:LABEL, instead of the image's",
    },
    lsmMountContext: {
      value: "CONTEXT",
      description: "SELinux context of mounts, instead of the image's",
    },
    noSubreaper: { description: "orphans are not for runts to reap", hidden: true },
    noPivot: { description: "accepted and ignored: criu changes the root", hidden: true },
  },
  examples: [
    {
      text: "in the background",
      command: "runts restore --detach --bundle /srv/web --image-path /srv/image web",
    },
  ],
  async run({ runtime, criu, args, options }) {
    const { supervised, others } = await supervision(options);
    const { noSubreaper, ...rest } = others;
    const all = { ...args, ...imageOptions(rest, criu) };
    if (supervised === undefined) {
      return await restore(runtime, { ...all, adoptOrphans: !noSubreaper });
    }
    if (!options.detach) {
      throw new RuntsError("a supervised container is restored with --detach only");
    }
    const { restoreSupervised } = await import("../supervise/restore.ts");
    await restoreSupervised(runtime, { ...all, supervised });
  },
});
