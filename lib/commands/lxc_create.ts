import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { createContainer } from "../lxc/store/create.ts";
import { checkBacking } from "../lxc/store/backing.ts";
import { LXC_COMMAND, LXC_COMMON, versionWanted } from "./lxc_shared.ts";
import { untilSignal } from "./lxc_signals.ts";

/** An option of a kind of root filesystem that cannot be made. */
function ofOther(value: string): { readonly value: string; description: string; hidden: true } {
  return { value, description: "of LXC: for root filesystems that cannot be made", hidden: true };
}

export const command = defineCommand({
  name: "lxc create",
  group: "system",
  summary: "make a container by a template",
  description: [
    "A template is a program in /usr/share/lxc/templates, or the absolute path of one; what follows of " +
    "-- are its arguments. With the template none there is a configuration and nothing else. When it " +
    "fails, nothing is left.",
  ],
  arguments: {
    words: {
      ...LXC_COMMAND,
      value: "[NAME] [ARGUMENT]",
      description: "the container, unless --name gives it, and arguments of the template",
    },
  },
  options: {
    name: { short: "n", value: "NAME", description: "the container" },
    ...LXC_COMMON,
    config: {
      short: "f",
      value: "FILE",
      description: "the configuration to begin with (default: /etc/lxc/default.conf)",
      complete: "file",
    },
    template: { short: "t", value: "TEMPLATE", description: "what fills the root filesystem" },
    bdev: { short: "B", value: "KIND", description: "where the root filesystem is kept: dir" },
    dir: {
      value: "DIR",
      description: "the root filesystem (default: rootfs in the container's directory)",
      complete: "directory",
    },
    fssize: ofOther("SIZE"),
    fstype: ofOther("TYPE"),
    lvname: ofOther("NAME"),
    vgname: ofOther("NAME"),
    thinpool: ofOther("NAME"),
    zfsroot: ofOther("PATH"),
    rbdname: ofOther("NAME"),
    rbdpool: ofOther("NAME"),
  },
  examples: [{ text: "a small system", command: "runts lxc create -n web -t busybox" }],
  async run(context) {
    const { runtime, args: { words }, options } = context;
    if (versionWanted(context)) return;
    const { template, lxcpath, config, dir, bdev } = options;
    const named = options.name !== undefined;
    const name = options.name ?? words[0];
    if (name === undefined) throw new RuntsError("no container is named", { hint: "use -n NAME" });
    if (template === undefined) {
      throw new RuntsError("no template is named", {
        hint: "use -t TEMPLATE; none makes a configuration alone",
      });
    }
    checkBacking(bdev, ["dir"]);
    await untilSignal((signal) =>
      createContainer(runtime, {
        ...{ name, lxcpath, template, config, rootfs: dir, signal },
        args: named ? words : words.slice(1),
      })
    );
  },
});
