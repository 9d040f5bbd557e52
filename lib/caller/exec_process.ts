/** The process of `exec`: a document, or the container's own with changes. */

import type { Runtime } from "../runtime/runtime.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { loadProcess } from "../spec/load_process.ts";
import type { Capabilities, Process, Spec, User } from "../spec/types/config.ts";
import { userOf } from "../spec/values/user.ts";
import { absoluteBytes } from "../base/absolute.ts";
import type { ExecOptions } from "./options.ts";

/** The greatest user or group id; the one after it stands for none. */
const ID_MAX = 0xfffffffe;

/** What to execute; throws when the options do not say. */
export async function execProcess(
  { caller, files }: Pick<Runtime, "caller" | "files">,
  spec: Spec,
  options: ExecOptions,
): Promise<Process> {
  if (options.process !== undefined) {
    const document = await loadProcess(files, absoluteBytes(caller, options.process));
    const process = completed(document, spec.process);
    return options.terminal ? { ...process, terminal: true } : process;
  }
  const { args = [], apparmor, processLabel, noNewPrivs, cwd } = options;
  if (args.length === 0) throw new RuntsError("no program to execute is given");
  const env = entriesOf(options.env ?? {});
  if (cwd !== undefined && !cwd.startsWith("/")) {
    throw new RuntsError(`working directory ${quote(cwd)} is not an absolute path`);
  }
  const base = spec.process;
  if (base === undefined) throw new RuntsError("the container's configuration has no process");
  // The size of its own terminal is the caller's, not that of the container's first process.
  const { consoleSize: _, ...rest } = base;
  return {
    ...rest,
    args,
    terminal: options.terminal ?? false,
    cwd: cwd ?? base.cwd,
    env: [...(base.env ?? []), ...env],
    user: chosenUser(userOf(base), options),
    ...(apparmor !== undefined && { apparmorProfile: apparmor }),
    ...(processLabel !== undefined && { selinuxLabel: processLabel }),
    ...(noNewPrivs && { noNewPrivileges: true }),
    ...(options.caps?.length && { capabilities: withCaps(base.capabilities, options.caps) }),
  };
}

/** `NAME=value` for each variable. */
function entriesOf(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => {
    if (name !== "" && !name.includes("=")) return `${name}=${value}`;
    throw new RuntsError(`${quote(name)} is not the name of an environment variable`);
  });
}

/** What a document leaves out is as in the container, but for `noNewPrivileges`: as in runc. */
function completed(process: Process, base: Process | undefined): Process {
  if (base === undefined) return process;
  const { capabilities, rlimits, apparmorProfile, selinuxLabel } = base;
  const { oomScoreAdj, scheduler, ioPriority, execCPUAffinity } = base;
  const { umask } = userOf(base);
  return {
    ...(capabilities && { capabilities }),
    ...(rlimits && { rlimits }),
    ...(apparmorProfile !== undefined && { apparmorProfile }),
    ...(selinuxLabel !== undefined && { selinuxLabel }),
    ...(oomScoreAdj !== undefined && { oomScoreAdj }),
    ...(scheduler && { scheduler }),
    ...(ioPriority && { ioPriority }),
    ...(execCPUAffinity && { execCPUAffinity }),
    ...process,
    user: { ...(umask !== undefined && { umask }), ...userOf(process) },
  };
}

function chosenUser(base: User, options: ExecOptions): User {
  const wrong = options.additionalGids?.find((gid) => !isId(gid));
  if (wrong !== undefined) throw new RuntsError(`additional group ${wrong} is not a group id`);
  const additionalGids = [...(base.additionalGids ?? []), ...(options.additionalGids ?? [])];
  const ids = options.user === undefined ? {} : parseUser(options.user, base);
  return { ...base, ...ids, ...(additionalGids.length > 0 && { additionalGids }) };
}

function isId(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= ID_MAX;
}

/** `UID` or `UID:GID`; names are not looked up, as in runc. */
function parseUser(text: string, base: User): { uid: number; gid: number } {
  const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text);
  const uid = Number(match?.[1]);
  const gid = Number(match?.[2] ?? base.gid);
  if (match === null || !isId(uid) || !isId(gid)) {
    throw new RuntsError(`user ${quote(text)} is not UID or UID:GID`);
  }
  return { uid, gid };
}

/** Ambient capabilities must be inheritable, and the option does not make them so. */
function withCaps(base: Capabilities | undefined, caps: readonly string[]): Capabilities {
  const inheritable = base?.inheritable ?? [];
  const add = (
    set: readonly string[] | undefined,
    more: readonly string[],
  ) => [...new Set([...(set ?? []), ...more])];
  return {
    bounding: add(base?.bounding, caps),
    effective: add(base?.effective, caps),
    permitted: add(base?.permitted, caps),
    inheritable,
    ambient: add(base?.ambient, caps.filter((cap) => inheritable.includes(cap))),
  };
}
