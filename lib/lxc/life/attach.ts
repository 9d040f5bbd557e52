/** `lxc attach`: one more program in a container. */

import { isRuntsError, RuntsError } from "../../base/errors.ts";
import { isDirectory } from "../../base/files.ts";
import { NAMESPACE_FLAGS } from "../../base/linux.ts";
import { execMade, type MadeProcess } from "../../container/exec.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { NamespaceType, Process, Spec } from "../../spec/types/config.ts";
import { CAPABILITIES } from "../../spec/values/capabilities.ts";
import { lostCapabilities } from "../capabilities.ts";
import { systemNow } from "./state.ts";

/**
 * What a program can have of the caller instead of the container: its cgroup; every capability; no label, and no
 * filter of system calls.
 */
export type Privilege = "CGROUP" | "CAP" | "LSM";
/** All of them. */
export const PRIVILEGES: readonly Privilege[] = ["CGROUP", "CAP", "LSM"];

/** What is run. */
interface AttachOptions {
  /** Of the container, as runts has it. */
  readonly id: string;
  /** Empty: the shell of the user. */
  readonly args: readonly string[];
  readonly tty: boolean;
  /** Nothing of the caller's environment. */
  readonly clearEnv?: boolean;
  /** Names of variables of the caller that stay nevertheless. */
  readonly keep?: readonly string[];
  /** `NAME=VALUE` each. */
  readonly set?: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  /** Namespaces that it enters; the others are the caller's. Default: all. */
  readonly namespaces?: readonly NamespaceType[];
  /** What it has of the caller instead of the container; all of it where namespaces are chosen. */
  readonly elevated?: readonly Privilege[];
  /** Outside of the mount namespace it gets a /proc and a /sys of the namespaces that it is in. */
  readonly remount?: boolean;
  /** The kind of machine that it sees, in bits. */
  readonly bits?: 32 | 64;
  /** SELinux context, instead of that of the container. */
  readonly context?: string;
  /** A file that what its terminal shows is added to. */
  readonly terminalLog?: string;
}

/** Where programs are looked for without an environment of the caller's. */
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Bytes of a table of users that is looked at. */
const PASSWD_MAX = 1 << 20;
/** Where SELinux shows itself; a host without it has no contexts. */
const SELINUX = "/sys/fs/selinux";
/** Exit codes of a program that is not there, or may not be executed. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Runs it, and gives its exit code. */
export async function attachSystem(runtime: Runtime, options: AttachOptions): Promise<number> {
  if (systemNow(runtime, options.id).pid === undefined) {
    throw new RuntsError("the container does not run");
  }
  try {
    const named = { id: options.id, terminal: options.tty };
    return await execMade(runtime, named, (spec, pid) => madeFor(runtime, spec, pid, options));
  } catch (error) {
    if (!isRuntsError(error)) throw error;
    throw new RuntsError(error.operation, { ...error.data, exitCode: programCode(error) });
  }
}

/** The exit code for a program that could not be run. The words are those that clients look for, too (lib/plan/failure_program.ts). */
export function programCode({ message }: RuntsError): number {
  if (/permission denied|exec format error/.test(message)) return NOT_EXECUTABLE;
  return /no such file|not found/.test(message) ? NOT_FOUND : 1;
}

/** The program, and what it has of the container, by the pid of its init. */
export function madeFor(
  runtime: Runtime,
  spec: Spec,
  pid: number,
  options: Omit<AttachOptions, "id">,
): MadeProcess {
  const { namespaces, remount, terminalLog, bits, elevated } = options;
  const rights: readonly Privilege[] = namespaces === undefined ? elevated ?? [] : PRIVILEGES;
  const { seccomp, personality, ...linux } = spec.linux ?? {};
  const machine = bits === undefined ? personality : PERSONALITIES[bits];
  return {
    process: processOf(runtime, spec, pid, options, rights),
    spec: {
      ...spec,
      linux: {
        ...linux,
        ...(machine && { personality: machine }),
        ...(seccomp && !rights.includes("LSM") && { seccomp }),
      },
    },
    ...(namespaces && { within: namespaces.reduce((mask, one) => mask | NAMESPACE_FLAGS[one], 0) }),
    ...(rights.includes("CGROUP") && { staysOutside: true }),
    ...(remount && { remounts: true }),
    ...(terminalLog !== undefined && { terminalLog }),
  };
}

const PERSONALITIES = { 32: { domain: "LINUX32" }, 64: { domain: "LINUX" } } as const;

/** With the rights and limits of the container, and the caller's environment and working directory. */
function processOf(
  runtime: Runtime,
  { process }: Spec,
  pid: number,
  options: Omit<AttachOptions, "id">,
  rights: readonly Privilege[],
): Process {
  const { caller } = runtime;
  const { consoleSize: _, user: __, oomScoreAdj: ___, ...base } = process!;
  const { uid = 0, gid = 0, context } = options;
  const isInside = options.namespaces?.includes("mount") !== false;
  const root = isInside ? `/proc/${pid}/root` : "";
  const user = userOf(root, uid);
  const cwd = caller.workingDirectory();
  return {
    ...(rights.includes("LSM") ? unlabelled(base) : base),
    ...(rights.includes("CAP") && { capabilities: allCapabilities(runtime) }),
    ...(context !== undefined && isDirectory(SELINUX) && { selinuxLabel: context }),
    args: options.args.length > 0 ? options.args : [user.shell],
    terminal: options.tty,
    cwd: isDirectory(root + cwd) ? cwd : "/",
    env: environment(caller.environment(), options),
    user: { uid, gid },
  };
}

function unlabelled({ apparmorProfile: _, selinuxLabel: __, ...rest }: Process): Process {
  return rest;
}

/** All that the caller could give. */
function allCapabilities(runtime: Runtime): NonNullable<Process["capabilities"]> {
  const lost = lostCapabilities(runtime);
  const set = CAPABILITIES.filter((name) => !lost.includes(name));
  return { bounding: set, effective: set, permitted: set, inheritable: [], ambient: [] };
}

function environment(
  callers: readonly string[],
  { clearEnv = false, keep = [], set = [] }: Omit<AttachOptions, "id">,
): string[] {
  const kept = callers.filter((entry) => keep.includes(entry.slice(0, entry.indexOf("="))));
  return [...(clearEnv ? [PATH, ...kept] : callers), "container=lxc", ...set];
}

/** As the container's own table of users has it. */
function userOf(root: string, uid: number): { readonly shell: string } {
  const line = passwd(root).split("\n").find((one) => one.split(":")[2] === String(uid));
  return { shell: line?.split(":")[6] || "/bin/sh" };
}

function passwd(root: string): string {
  try {
    // The container may have put anything in its place.
    const { isFile, size } = Deno.lstatSync(`${root}/etc/passwd`);
    return isFile && size < PASSWD_MAX ? Deno.readTextFileSync(`${root}/etc/passwd`) : "";
  } catch {
    return "";
  }
}
