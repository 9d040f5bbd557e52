import { defineCommand } from "../cli/types.ts";
import { writeSpec } from "../container/spec.ts";
import { BUNDLE } from "./shared.ts";

export const command = defineCommand({
  name: "spec",
  group: "configuration",
  summary: "write a config.json to start from",
  description: [
    "It describes a shell in a container of the usual kind, whose root filesystem is the " +
    "directory rootfs of the bundle. An existing file is left as it is, with an error.",
  ],
  arguments: {},
  options: {
    ...BUNDLE,
    file: {
      short: "f",
      value: "FILE",
      description: "write this file of the bundle (default: config.json)",
      complete: "file",
    },
    rootless: { description: "for use without root: map the caller to root" },
  },
  examples: [{ text: "in the bundle /srv/web", command: "runts spec --bundle /srv/web" }],
  async run({ runtime, options }) {
    await writeSpec(runtime, options);
  },
});
