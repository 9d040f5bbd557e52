/**
 * What `state`, `kill`, `start`, `delete` and `list` of a container are going to do, written down when it is
 * made, for the front to do it without Deno (c/front). The front looks at all that can change itself.
 */

import { frontId } from "../base/front_id.ts";
import { removeQuietly } from "../base/files.ts";
import { jsonDocument } from "../base/json_document.ts";
import { mainDirectory } from "../cgroup/directory.ts";
import { annotatedSignal } from "../spec/values/stop_signal.ts";
import { SIGTERM } from "../spec/values/signals.ts";
import { isSupervised } from "../monitor/places.ts";
import type { Spec } from "../spec/types/config.ts";
import type { StateDirectory } from "../state/directory.ts";
import { formatStatus, type Status } from "../state/status.ts";
import { encodePrepared, type Prepared, PREPARED_FILE, PreparedFlag } from "../wire/prepared.ts";
import { stateDocument } from "./state.ts";

/** What the front is told of a container; `config`: its copy of config.json. */
export function preparedRecord(
  directory: StateDirectory,
  status: Status,
  spec: Spec,
  config: Prepared["config"],
  front: string,
): Prepared {
  const { cgroup } = status;
  const paths = cgroup?.kind === "disabled" ? {} : cgroup?.paths ?? {};
  const unified = paths[""];
  return {
    flags: flagsOf(status, spec) |
      // Both are told of in a journal that is numbered, and change records: the front reads no JSON.
      (isSupervised(directory) ? PreparedFlag.noStart | PreparedFlag.noDelete : 0),
    front,
    bootId: status.bootId ?? "",
    pid: status.pid,
    startTime: status.startTime,
    config,
    stopSignal: stopSignal(spec),
    cgroups: cgroupsOf(paths, cgroup?.inodes ?? {}),
    status: formatStatus(status),
    ...stateTexts(directory, status),
    freezerState: paths["freezer"] === undefined ? "" : `${paths["freezer"]}/freezer.state`,
    cgroupFreeze: unified === undefined ? "" : `${unified}/cgroup.freeze`,
    cgroupEvents: unified === undefined ? "" : `${unified}/cgroup.events`,
    cgroupName: lastPart(mainDirectory(paths) ?? ""),
  };
}

/**
 * Writes the record; it counts once there is the status that it was made of. Without one every verb goes
 * through Deno, so a failure is nothing to report.
 */
export function prepareVerbs(directory: StateDirectory, status: Status, spec: Spec): void {
  const front = frontId();
  if (front === undefined) return;
  const path = directory.file(PREPARED_FILE);
  try {
    const { ino, size, mtime } = Deno.lstatSync(directory.file("config.json"));
    if (ino === null || mtime === null) return;
    const config = { inode: ino, size, mtime: mtime.getTime() };
    const bytes = encodePrepared(preparedRecord(directory, status, spec, config, front));
    if (bytes !== undefined) Deno.writeFileSync(path, bytes, { mode: 0o600, createNew: true });
  } catch {
    removeQuietly(path);
  }
}

function flagsOf({ cgroup, hostMounts }: Status, { hooks, linux }: Spec): number {
  const kind = cgroup?.kind;
  const own = linux?.namespaces?.some(({ type, path }) => type === "pid" && !path) === true;
  // Beside its own, systemd is told to remove hierarchies of v1.
  const scope = kind === "systemd" && Object.keys(cgroup?.paths ?? {}).join("/") === "" &&
    cgroup?.paths[""] !== undefined;
  const isKnown = kind === "v1" || kind === "v2" || scope;
  const leaves = hooks?.poststop?.length || hostMounts?.length || linux?.intelRdt !== undefined ||
    (kind === "systemd" && !scope);
  return (own ? PreparedFlag.ownPids : 0) |
    (hooks?.poststart?.length ? PreparedFlag.noStart : 0) |
    (leaves ? PreparedFlag.noDelete : 0) |
    (isKnown ? 0 : PreparedFlag.noMembers) |
    (kind === "v2" || scope ? PreparedFlag.v2 : 0) |
    (scope ? PreparedFlag.systemd : 0);
}

function stopSignal({ annotations }: Spec): number {
  try {
    return annotatedSignal(annotations) ?? SIGTERM;
  } catch {
    return 0; // kill is going to say what is wrong with it
  }
}

/** Members are looked for in the first two: the main one, and the hierarchy that v1 kills in, too. */
function cgroupsOf(
  paths: Readonly<Record<string, string>>,
  inodes: Readonly<Record<string, number>>,
): Prepared["cgroups"] {
  const main = mainDirectory(paths);
  const first = [main, paths[""]].filter((path) => path !== undefined);
  const rank = (path: string) => first.includes(path) ? first.indexOf(path) : first.length;
  const all = Object.entries(paths)
    .map(([controller, path]) => ({ inode: inodes[controller] ?? 0, path }))
    .sort((one, other) => rank(one.path) - rank(other.path));
  return all.filter(({ path }, i) => all.findIndex((other) => other.path === path) === i);
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf("/"));
}

/** What `state` prints, without pid and state. */
function stateTexts(
  directory: StateDirectory,
  status: Status,
): Pick<Prepared, "beforePid" | "beforeState" | "afterState"> {
  const text = jsonDocument(stateDocument(directory, { state: "stopped", status, complete: true }));
  const [pid, state] = ['  "pid": ', ',\n  "status": "'];
  const pidAt = text.indexOf(`\n${pid}0${state}stopped"`) + 1 + pid.length;
  const stateAt = pidAt + 1 + state.length;
  return {
    beforePid: text.slice(0, pidAt),
    beforeState: text.slice(pidAt + 1, stateAt),
    afterState: text.slice(stateAt + "stopped".length),
  };
}
