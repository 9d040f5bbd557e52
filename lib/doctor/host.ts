/** This host, for the checks. Nothing is made or changed. */

import { loadSeccomp } from "../../ffi/seccomp.ts";
import { isRuntsError, reason } from "../base/errors.ts";
import { readFile, statFile } from "../base/files.ts";
import { detectHost } from "../cgroup/hierarchies.ts";
import { isUserManager, Systemd } from "../cgroup/systemd/bus.ts";
import { brainDirectory } from "../runtime/brain.ts";
import { isInUserNamespace } from "../runtime/host.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { CgroupLayout, Host } from "./findings.ts";

/** What is there now. */
export async function hostOf(runtime: Runtime, criu: string): Promise<Host> {
  const { caller, root } = runtime;
  return {
    kernel: Deno.osRelease(),
    uid: caller.uid,
    isRoot: caller.uid === 0 && !runtime.host.get(isInUserNamespace),
    proc: caller.proc,
    cgroups: layoutOf(runtime),
    variable: (name) => caller.variable(name),
    text: readFile,
    has: (path) => statFile(path) !== undefined,
    mayWrite,
    program: (name) => findProgram(name, caller.variable("PATH") ?? ""),
    mode: (path) => statFile(path)?.mode ?? 0,
    libseccomp: seccompVersion(),
    systemd: await whyNoSystemd(runtime),
    ...{ root, criu },
    brain: brainOf(runtime),
  };
}

function brainOf({ caller, host }: Runtime): string | undefined {
  try {
    return brainDirectory(caller, host);
  } catch {
    return undefined;
  }
}

function layoutOf(runtime: Runtime): CgroupLayout {
  try {
    return detectHost(runtime);
  } catch {
    return { mode: "none", hierarchies: [] };
  }
}

/** Opening tells what permissions, capabilities and mounts together make of it. */
function mayWrite(path: string): boolean {
  try {
    Deno.openSync(path, { write: true }).close();
    return true;
  } catch {
    return false;
  }
}

function findProgram(name: string, path: string): string | undefined {
  const isProgram = (file: string) => {
    const { isFile, mode } = statFile(file) ?? {};
    return isFile === true && ((mode ?? 0) & 0o111) !== 0;
  };
  return path.split(":").filter((directory) => directory !== "")
    .map((directory) => `${directory}/${name}`).find(isProgram);
}

function seccompVersion(): string | undefined {
  try {
    return loadSeccomp().version;
  } catch {
    return undefined;
  }
}

async function whyNoSystemd(runtime: Runtime): Promise<string | undefined> {
  try {
    await Systemd.with(runtime, isUserManager(runtime), (systemd) => systemd.controlGroup());
    return undefined;
  } catch (error) {
    // Without its hint: the finding has a remedy of its own.
    return reason(isRuntsError(error) ? error.data.cause ?? error : error);
  }
}
