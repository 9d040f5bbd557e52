import { defineCommand } from "../cli/types.ts";
import { checkKernel } from "../lxc/kernel_check.ts";
import { LXC_COMMON, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc checkconfig",
  group: "system",
  summary: "show what the kernel has that containers use",
  description: [
    "The configuration of the kernel is that of $CONFIG, /proc/config.gz or /boot; without one it is " +
    "looked for in the running kernel alone.",
  ],
  arguments: {},
  options: { version: LXC_COMMON.version },
  async run(context) {
    if (versionWanted(context)) return;
    context.print(await checkKernel(context.runtime));
  },
});
