import { RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { unshareProgram } from "../lxc/life/unshare.ts";
import { LXC_COMMON, LXC_PROGRAM, versionWanted } from "./lxc_shared.ts";
import { namespacesOf } from "./lxc_namespaces.ts";

export const command = defineCommand({
  name: "lxc unshare",
  group: "system",
  summary: "run a program of the host in namespaces of its own",
  description: [
    "It is no container: it sees the files of the host, and nothing of it is kept. The exit code is " +
    "that of the program.",
  ],
  arguments: { words: LXC_PROGRAM },
  options: {
    ...LXC_COMMON,
    namespaces: {
      short: "s",
      value: "NAMESPACES",
      description: "the namespaces, as MOUNT|PID|UTSNAME|IPC|USER|NETWORK",
    },
    user: {
      short: "u",
      value: "UID",
      integer: true,
      description: "in USER: its id there, which stands for that of the caller (default: 0)",
    },
    hostname: { short: "H", value: "NAME", description: "in UTSNAME: the host name" },
    ifname: {
      short: "i",
      value: "NAME",
      repeat: true,
      description: "in NETWORK: a network device of the host that is moved there",
    },
    daemon: { short: "d", description: "do not wait for its end" },
    remount: {
      short: "M",
      description: "in MOUNT: mount /proc, /dev/shm and /dev/mqueue anew",
    },
  },
  examples: [{
    text: "a shell with a host name of its own",
    command: "runts lxc unshare -s UTSNAME -H test -- sh",
  }],
  async run(context) {
    const { runtime, args: { words }, options } = context;
    if (versionWanted(context)) return;
    const { namespaces, user, hostname, ifname = [], daemon = false, remount = false } = options;
    if (words.length === 0) throw new RuntsError("missing argument COMMAND");
    if (namespaces === undefined) throw new RuntsError("no namespace is named", { hint: "use -s" });
    const all = namespacesOf(namespaces);
    return await unshareProgram(runtime, {
      args: words,
      namespaces: all,
      ...(user !== undefined && { uid: user }),
      // As LXC has it, what no namespace is there for does not count.
      ...(hostname !== undefined && all.includes("uts") && { hostname }),
      devices: all.includes("network") ? ifname : [],
      remounts: remount && all.includes("mount"),
      detach: daemon,
    });
  },
});
