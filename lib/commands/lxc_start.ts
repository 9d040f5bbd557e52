import { absolute } from "../base/absolute.ts";
import { quote, reason, RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { startSystem } from "../lxc/life/start.ts";
import type { Runtime } from "../runtime/runtime.ts";
import {
  DEFINE,
  LXC_COMMAND,
  LXC_NAMED,
  namedCommand,
  settingsOf,
  versionWanted,
} from "./lxc_shared.ts";

/** An option for a namespace that is shared. */
function share(kind: string): { readonly value: "NAME"; readonly description: string } {
  return { value: "NAME", description: `share the ${kind} namespace of a container, or of a pid` };
}

export const command = defineCommand({
  name: "lxc start",
  group: "system",
  summary: "start a container",
  description: [
    "Returns once its init runs. What keeps it from running is told in one line, with the line of the " +
    "configuration. A container that runs already is left alone.",
  ],
  arguments: { words: LXC_COMMAND },
  options: {
    ...LXC_NAMED,
    rcfile: { ...LXC_NAMED.rcfile, short: "f" },
    define: DEFINE,
    daemon: { short: "d", description: "go on in the background; the default" },
    foreground: {
      short: "F",
      description:
        "stay joined to its console until it has stopped, and hand signals on to its init",
    },
    shareNet: share("network"),
    shareIpc: share("ipc"),
    shareUts: share("uts"),
    sharePid: share("pid"),
    console: {
      short: "c",
      value: "FILE",
      description: "the terminal that its console is joined to, or none",
      complete: "file",
    },
    consoleLog: {
      short: "L",
      value: "FILE",
      description: "write what its console shows there as well",
      complete: "file",
    },
    closeAllFds: { short: "C", description: "of LXC: nothing is inherited anyway", hidden: true },
    pidfile: {
      short: "p",
      value: "FILE",
      description: "write the pid of its monitor there",
      complete: "file",
    },
  },
  examples: [{ text: "a container", command: "runts lxc start -n web" }],
  async run(context) {
    const { runtime, options } = context;
    if (versionWanted(context)) return;
    const { choice, command } = namedCommand(context);
    const define = await settingsOf(runtime, options, [
      ...setting(runtime, "lxc.console.path", options.console),
      ...setting(runtime, "lxc.console.logfile", options.consoleLog),
    ]);
    const { already, monitor, foreground } = await startSystem(runtime, {
      ...choice,
      define,
      shared: [
        ...shared("network", options.shareNet),
        ...shared("ipc", options.shareIpc),
        ...shared("uts", options.shareUts),
        ...shared("pid", options.sharePid),
      ],
      ...(options.foreground && { foreground: true }),
      ...(command.length > 0 && { command }),
    });
    if (already) return runtime.warn("the container runs already");
    if (options.pidfile !== undefined) writePid(runtime, options.pidfile, monitor);
    if (foreground !== undefined) {
      const { stayInForeground } = await import("./lxc_foreground.ts");
      await stayInForeground(foreground);
    }
  },
});

function writePid({ caller }: Runtime, file: string, pid: number): void {
  const path = absolute(caller, file);
  try {
    Deno.writeTextFileSync(path, String(pid), { mode: caller.masked(0o666) });
  } catch (cause) {
    throw new RuntsError(`write ${quote(path)}`, { cause: new Error(reason(cause)) });
  }
}

function setting(
  { caller }: Runtime,
  key: string,
  path: string | undefined,
): string[] {
  if (path === undefined) return [];
  return [`${key}=${path === "none" ? path : absolute(caller, path)}`];
}

function shared<T extends string>(
  type: T,
  from: string | undefined,
): { readonly type: T; readonly from: string }[] {
  return from === undefined ? [] : [{ type, from }];
}
