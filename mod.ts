/**
 * runts as a library: container lifecycles scripted in TypeScript, in one process. A container is to a script
 * what a `Deno.ChildProcess` is.
 *
 * ```ts
 * import { Container, lines } from "@runts/runts";
 *
 * await using box = await Container.create({
 *   id: "job",
 *   spec: { root: { path: "/srv/busybox" }, process: { args: ["sh", "-c", "echo hi; exit 3"] } },
 *   stdout: "piped",
 * });
 * await box.start();
 * for await (const line of lines(box.stdout)) console.log(line);
 * const { code, signal } = await box.status;
 * ```
 *
 * Every function throws {@linkcode RuntsError}; a wait that a signal ends throws the signal's reason.
 * Waits and streams share one thread, and none of them holds up the event loop. It needs `deno run -A`: the work
 * is done by a C library that is loaded by `Deno.dlopen`, to which Deno's permissions do not apply.
 *
 * The verbs of the command line as functions are in `./verbs`, the types of configurations in `./oci`, and
 * what `create` would do in `./explain`.
 *
 * @module
 */

export { Container } from "./lib/script/container.ts";
export type {
  ContainerCheckpointOptions,
  ContainerExecOptions,
  ContainerOptions,
  ContainerRestoreOptions,
  ContainerSettings,
  SupervisedChoice,
  SupervisedExecSettings,
} from "./lib/script/options.ts";
export { ContainedProcess, ContainerProcess } from "./lib/script/process.ts";
export type { ProcessOutput } from "./lib/script/process.ts";
export { AttachedStreams } from "./lib/script/attached_streams.ts";
export { SupervisedProcess } from "./lib/script/supervised_process.ts";
export type { StreamOption, StreamOptions } from "./lib/script/stdio.ts";
export { ProcessReadable } from "./lib/script/byte_streams.ts";
export { Terminal } from "./lib/script/terminal.ts";
export type { TerminalSize } from "./lib/script/terminal.ts";
export { System } from "./lib/script/system.ts";
export type {
  SystemAttachOptions,
  SystemCloneOptions,
  SystemCreateOptions,
  SystemOptions,
  SystemStartOptions,
  SystemWaitOptions,
} from "./lib/script/system_options.ts";
export { SystemTerminal } from "./lib/script/system_terminal.ts";
export type { Privilege } from "./lib/lxc/life/attach.ts";
export type { ToldState } from "./lib/lxc/life/events.ts";
export type { Usage } from "./lib/lxc/life/facts.ts";
export type { Shared } from "./lib/lxc/life/shared.ts";
export type { SystemState } from "./lib/lxc/life/state.ts";
export type { Snapshot } from "./lib/lxc/store/snapshot.ts";
export type { SystemStopOptions } from "./lib/lxc/life/stop.ts";
export type { SeenNetwork } from "./lib/net/seen.ts";
export { lines } from "./lib/script/lines.ts";
export { listSupervised as containers } from "./lib/supervise/list.ts";
export type {
  Inspected,
  InspectedProcess,
  SupervisedEntry,
  Supervision,
} from "./lib/supervise/list.ts";
export { supervisionEvents } from "./lib/supervise/events.ts";
export type { SupervisionEventsOptions } from "./lib/supervise/events.ts";
export type { EventType, NewEvent, SupervisionEvent } from "./lib/monitor/journal.ts";
export type { AttachOptions, ProcessOptions } from "./lib/supervise/attach.ts";
export type { Attachment, Output } from "./lib/body/attachment.ts";
export type { LogChoice, SupervisionOptions } from "./lib/supervise/options.ts";
export type { LogOptions } from "./lib/monitor/follow.ts";
export type { LogLine } from "./lib/supervise/log_line.ts";
export type { StopOptions } from "./lib/supervise/stop.ts";
export type { ProcessStatus } from "./lib/monitor/standing.ts";
export type { ExitRecord } from "./lib/state/process_record.ts";
export type { LogDriver, LogSettings } from "./lib/state/supervised.ts";
export type { ListEntry } from "./lib/container/list.ts";
export type { ContainerEvent, EventsOptions } from "./lib/container/events.ts";
export type { StateDocument } from "./lib/container/state.ts";
export type { CheckpointOptions } from "./lib/container/checkpoint.ts";
export type { ImageOptions, ManageCgroups, RestoreOptions } from "./lib/criu/options.ts";
export type { UpdateOptions } from "./lib/container/update.ts";
export { Runtime } from "./lib/runtime/runtime.ts";
export type { RuntimeOrSettings, RuntimeSettings } from "./lib/runtime/runtime.ts";
export type {
  ChangeOptions,
  ContainerName,
  CreateOptions,
  ExecOptions,
  ExitStatus,
  StreamTarget,
  StreamTargets,
  WaitOptions,
} from "./lib/caller/options.ts";
export { isRuntsError, RuntsError } from "./lib/base/errors.ts";
export type { ErrorData } from "./lib/base/errors.ts";
export { SpecError } from "./lib/spec/json/document.ts";
export type { Finding, Rule } from "./lib/spec/check/findings.ts";
export type { Changes } from "./lib/spec/changes.ts";
export type * from "./lib/cgroup/stats/types.ts";
