/** `lxc attach`: one more program in a container. */

import { isRuntsError, RuntsError } from "../../base/errors.ts";
import { isDirectory } from "../../base/files.ts";
import { execMade } from "../../container/exec.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Process, Spec } from "../../spec/types/config.ts";
import { systemNow } from "./state.ts";

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
}

/** Where programs are looked for without an environment of the caller's. */
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Bytes of a table of users that is looked at. */
const PASSWD_MAX = 1 << 20;
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
    return await execMade(runtime, named, (spec, pid) => processOf(runtime, spec, pid, options));
  } catch (error) {
    if (!isRuntsError(error)) throw error;
    throw new RuntsError(error.operation, { ...error.data, exitCode: codeOf(error) });
  }
}

/** The words are those that clients look for, too (lib/plan/failure_program.ts). */
function codeOf({ message }: RuntsError): number {
  if (/permission denied|exec format error/.test(message)) return NOT_EXECUTABLE;
  return /no such file|not found/.test(message) ? NOT_FOUND : 1;
}

/** With the rights and limits of the container, and the caller's environment and working directory. */
function processOf(
  { caller }: Runtime,
  { process }: Spec,
  pid: number,
  options: AttachOptions,
): Process {
  const { consoleSize: _, user: __, oomScoreAdj: ___, ...base } = process!;
  const { uid = 0, gid = 0 } = options;
  const root = `/proc/${pid}/root`;
  const user = userOf(root, uid);
  const cwd = caller.workingDirectory();
  return {
    ...base,
    args: options.args.length > 0 ? options.args : [user.shell],
    terminal: options.tty,
    cwd: isDirectory(root + cwd) ? cwd : "/",
    env: environment(caller.environment(), options),
    user: { uid, gid },
  };
}

function environment(
  callers: readonly string[],
  { clearEnv = false, keep = [], set = [] }: AttachOptions,
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
