/**
 * The commands of runts as functions: what `runts VERB` does, without a process for each. The first argument
 * is the runtime, or the settings of one.
 *
 * ```ts
 * import * as runts from "@runts/runts/verbs";
 *
 * const settings = { root: "/run/my-containers" };
 * for (const { id, status } of await runts.list(settings)) {
 *   if (status === "stopped") await runts.delete(settings, { id });
 * }
 * ```
 *
 * @module
 */

export { attach, closeStdin, reopenLog, resize } from "./lib/supervise/attach.ts";
export type { AttachOptions, ProcessOptions } from "./lib/supervise/attach.ts";
export type { Attachment, Output } from "./lib/body/attachment.ts";
export { checkpoint } from "./lib/container/checkpoint.ts";
export type { CheckpointOptions } from "./lib/container/checkpoint.ts";
export { restore } from "./lib/container/restore.ts";
export { restoreSupervised } from "./lib/supervise/restore.ts";
export type { SupervisedRestore } from "./lib/supervise/restore.ts";
export type { ImageOptions, ManageCgroups, RestoreOptions } from "./lib/criu/options.ts";
export { create } from "./lib/container/create.ts";
export { createSupervised, runSupervised } from "./lib/supervise/create.ts";
export type { SupervisedOptions } from "./lib/supervise/create.ts";
export type { LogChoice, SupervisionOptions } from "./lib/supervise/options.ts";
export { remove as delete } from "./lib/container/delete.ts";
export { doctor } from "./lib/doctor/doctor.ts";
export type { DoctorOptions } from "./lib/doctor/doctor.ts";
export type { Area, Condition, Finding as HostFinding } from "./lib/doctor/findings.ts";
export { events, stats } from "./lib/container/events.ts";
export type { ContainerEvent, EventsOptions } from "./lib/container/events.ts";
export { supervisionEvents } from "./lib/supervise/events.ts";
export type { SupervisionEventsOptions } from "./lib/supervise/events.ts";
export type { EventType, NewEvent, SupervisionEvent } from "./lib/monitor/journal.ts";
export { execSupervised } from "./lib/supervise/exec.ts";
export type { SupervisedExec, SupervisedExecOptions } from "./lib/supervise/exec.ts";
export { exec } from "./lib/container/exec.ts";
export { features } from "./lib/container/features.ts";
export { inspectContainer as inspect, listSupervised } from "./lib/supervise/list.ts";
export type {
  Inspected,
  InspectedProcess,
  SupervisedEntry,
  Supervision,
} from "./lib/supervise/list.ts";
export { kill } from "./lib/container/kill.ts";
export { list } from "./lib/container/list.ts";
export type { ListEntry } from "./lib/container/list.ts";
export { logs } from "./lib/supervise/logs.ts";
export type { LogsOptions } from "./lib/supervise/logs.ts";
export type { LogLine } from "./lib/supervise/log_line.ts";
export { addMounts, removeMounts } from "./lib/container/mounts.ts";
export type { MountsOptions } from "./lib/container/mounts.ts";
export { pause, resume } from "./lib/container/pause.ts";
export { ps } from "./lib/container/ps.ts";
export { restart } from "./lib/supervise/restart.ts";
export { run } from "./lib/container/run.ts";
export { writeSpec as spec } from "./lib/container/spec.ts";
export type { SpecOptions } from "./lib/container/spec.ts";
export { start } from "./lib/container/start.ts";
export { state } from "./lib/container/state.ts";
export type { StateDocument } from "./lib/container/state.ts";
export { stop } from "./lib/supervise/stop.ts";
export type { StopOptions } from "./lib/supervise/stop.ts";
export { UsageMeter } from "./lib/supervise/usage.ts";
export type { Usage } from "./lib/supervise/usage.ts";
export { update } from "./lib/container/update.ts";
export type { UpdateOptions } from "./lib/container/update.ts";
export { validateDocument as validate } from "./lib/container/validate.ts";
export type { Validated, ValidateOptions } from "./lib/container/validate.ts";
export { versions as version } from "./lib/container/versions.ts";
export type { Versions } from "./lib/container/versions.ts";
export { wait } from "./lib/supervise/wait.ts";
export type { WaitForOptions } from "./lib/supervise/wait.ts";
export type { ProcessStatus } from "./lib/monitor/standing.ts";
export type { ExitRecord } from "./lib/state/process_record.ts";
export type { LogDriver, LogSettings } from "./lib/state/supervised.ts";
export { Runtime } from "./lib/runtime/runtime.ts";
export type { RuntimeOrSettings, RuntimeSettings } from "./lib/runtime/runtime.ts";
export type {
  ChangeOptions,
  ContainerName,
  CreateOptions,
  DeleteOptions,
  ExecOptions,
  KillOptions,
  RunOptions,
  StreamTarget,
  StreamTargets,
  WaitOptions,
} from "./lib/caller/options.ts";
export { isRuntsError, RuntsError } from "./lib/base/errors.ts";
export type { ErrorData } from "./lib/base/errors.ts";
export { SpecError } from "./lib/spec/json/document.ts";
export type { Finding, Guess, Rule } from "./lib/spec/check/findings.ts";
export type { Changes } from "./lib/spec/changes.ts";
export type * from "./lib/cgroup/stats/types.ts";
