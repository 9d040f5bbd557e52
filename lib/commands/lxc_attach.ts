import { absolute } from "../base/absolute.ts";
import { nearest } from "../base/nearest.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { architecture } from "../lxc/config/values_more.ts";
import { attachSystem, type Privilege, PRIVILEGES } from "../lxc/life/attach.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { load } from "../runtime/load.ts";
import { LXC_COMMAND, LXC_NAMED, namedCommand, versionWanted } from "./lxc_shared.ts";
import { namespacesOf } from "./lxc_namespaces.ts";

export const command = defineCommand({
  name: "lxc attach",
  group: "system",
  summary: "run a program in a running container",
  description: [
    "The exit code is that of the program. Without COMMAND it is a shell.",
    "With --namespaces it enters those alone, and has the rights, the cgroup and for the rest the " +
    "namespaces of the caller: what it brings along may get into the container.",
  ],
  arguments: { words: LXC_COMMAND },
  options: {
    ...LXC_NAMED,
    rcfile: { ...LXC_NAMED.rcfile, short: "f" },
    elevatedPrivileges: {
      short: "e",
      value: "RIGHTS",
      alone: PRIVILEGES.join("|"),
      description: `what it has of the caller, with "|" between: ${PRIVILEGES.join(", ")}`,
    },
    arch: { short: "a", value: "ARCH", description: "the machine that it sees, as i686" },
    namespaces: {
      short: "s",
      value: "NAMESPACES",
      description: "the namespaces that it enters, as MOUNT|PID|UTSNAME|IPC|USER|NETWORK",
    },
    remountSysProc: {
      short: "R",
      description: "mount /proc and /sys anew for it, where it does not enter MOUNT",
    },
    clearEnv: { description: "nothing of the environment of the caller" },
    keepEnv: { description: "the environment of the caller; the default" },
    keepVar: { value: "NAME", repeat: true, description: "a variable that --clear-env keeps" },
    setVar: { short: "v", value: "NAME=VALUE", repeat: true, description: "one more variable" },
    uid: { short: "u", value: "UID", integer: true, description: "user in the container" },
    gid: { short: "g", value: "GID", integer: true, description: "group in the container" },
    ptyLog: {
      short: "L",
      value: "FILE",
      description: "add what its terminal shows to a file",
      complete: "file",
    },
    context: { short: "c", value: "CONTEXT", description: "SELinux context of the program" },
  },
  examples: [
    { text: "a shell", command: "runts lxc attach -n web" },
    {
      text: "a program of the host in its network",
      command: "runts lxc attach -n web -s NETWORK -- ip address",
    },
  ],
  async run(context) {
    const { runtime, options } = context;
    if (versionWanted(context)) return;
    const { choice, command } = namedCommand(context);
    const { elevatedPrivileges: rights, namespaces, arch, ptyLog } = options;
    return await attachSystem(runtime, {
      id: systemIdOf(runtime, choice),
      args: command,
      ...(options.clearEnv && { clearEnv: true }),
      ...(options.keepVar && { keep: options.keepVar }),
      ...(options.setVar && { set: options.setVar }),
      ...(options.uid !== undefined && { uid: options.uid }),
      ...(options.gid !== undefined && { gid: options.gid }),
      ...(rights !== undefined && { elevated: rights.split("|").map(privilegeOf) }),
      ...(namespaces !== undefined && { namespaces: namespacesOf(namespaces) }),
      ...(options.remountSysProc && { remount: true }),
      ...(arch !== undefined && { bits: bitsOf(arch) }),
      ...(ptyLog !== undefined && { terminalLog: absolute(runtime.caller, ptyLog) }),
      ...(options.context !== undefined && { context: options.context }),
      tty: await (await load(runtime)).body.terminalSize() !== undefined,
    });
  },
});

function privilegeOf(text: string): Privilege {
  const right = PRIVILEGES.find((one) => one === text.trim().toUpperCase());
  if (right !== undefined) return right;
  const near = nearest(text.toUpperCase(), PRIVILEGES);
  throw new RuntsError(`${quote(text)} is not one of ${PRIVILEGES.join(", ")}`, {
    ...(near !== undefined && { hint: `did you mean ${quote(near)}?` }),
  });
}

function bitsOf(text: string): 32 | 64 {
  return architecture(text, (fault, _, hint) => {
    throw new RuntsError(`option "--arch": ${quote(text)} ${fault}`, { ...(hint && { hint }) });
  });
}
