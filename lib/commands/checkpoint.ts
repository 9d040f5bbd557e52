import { checkpoint } from "../container/checkpoint.ts";
import { defineCommand } from "../cli/types.ts";
import { IMAGE_OPTIONS, imageOptions } from "./image_options.ts";
import { CONTAINER } from "./shared.ts";

export const command = defineCommand({
  name: "checkpoint",
  group: "checkpoint",
  summary: "write the processes of a container to disk",
  description: [
    "By criu (https://criu.org): an image of a running or paused container, which is deleted then, " +
    "unless it is to be left running; restore goes on from there, on this host or another one.",
  ],
  arguments: { id: CONTAINER },
  options: {
    ...IMAGE_OPTIONS,
    leaveRunning: { short: "R", description: "let the container go on" },
    preDump: { description: "only what its memory holds, for a smaller checkpoint later" },
    parentPath: {
      value: "DIR",
      description:
        "image of the pre-dump before, relative to this one: what has not changed is left there",
      complete: "directory",
    },
    tcpSkipInFlight: { description: "leave out connections that are being made" },
    linkRemap: { description: "allow files that have lost their names" },
    pageServer: {
      value: "ADDRESS:PORT",
      description: "send the memory to this page server of criu",
    },
    statusFd: {
      value: "N",
      integer: true,
      description: "with --lazy-pages: write a byte there once pages can be fetched",
    },
  },
  examples: [
    { text: "and delete the container", command: "runts checkpoint --image-path /srv/image web" },
    {
      text: "beside the container that goes on",
      command: "runts checkpoint --leave-running --image-path /srv/image web",
    },
  ],
  async run({ runtime, criu, args, options }) {
    await checkpoint(runtime, { ...args, ...imageOptions(options, criu) });
  },
});
