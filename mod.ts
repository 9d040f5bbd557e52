/**
 * runts as a library: container lifecycles scripted in TypeScript, in one process.
 *
 * ```ts
 * import { Container } from "./mod.ts";
 *
 * await using container = await Container.create({ id: "web", bundle: "/bundles/web" });
 * await container.start();
 * const { code } = await container.wait();
 * ```
 *
 * Every function throws {@linkcode RuntsError}; a wait that a signal ends throws the signal's reason.
 * Waits share one thread, and none of them holds up the event loop. It needs `deno run -A`: the work is done by a
 * C library that is loaded by `Deno.dlopen`, to which Deno's permissions do not apply.
 *
 * @module
 */

export { ContainerProcess } from "./lib/container/container.ts";
export type { ContainerExecOptions, ContainerSettings } from "./lib/container/container.ts";
export { Container, SupervisedProcess } from "./lib/supervise/container.ts";
export type { ContainerOptions, SupervisedExecSettings } from "./lib/supervise/container.ts";
export { create } from "./lib/container/create.ts";
export { remove } from "./lib/container/delete.ts";
export { events, stats } from "./lib/container/events.ts";
export type { ContainerEvent, EventsOptions } from "./lib/container/events.ts";
export { exec } from "./lib/container/exec.ts";
export { explain } from "./lib/container/explain.ts";
export type { ExplainOptions, Explanation, Stage, Step } from "./lib/container/explain.ts";
export { explainSeccomp } from "./lib/container/explain_seccomp.ts";
export { features } from "./lib/container/features.ts";
export { kill } from "./lib/container/kill.ts";
export { list } from "./lib/container/list.ts";
export type { ListEntry } from "./lib/container/list.ts";
export { pause, resume } from "./lib/container/pause.ts";
export { ps } from "./lib/container/ps.ts";
export { defaultRoot } from "./lib/runtime/root.ts";
export { Runtime } from "./lib/runtime/runtime.ts";
export type { RuntimeOrSettings, RuntimeSettings } from "./lib/runtime/runtime.ts";
export { HostFacts } from "./lib/runtime/host.ts";
export type { Caller } from "./lib/base/caller.ts";
export type { Body } from "./lib/body/body.ts";
export type { CallersFiles } from "./lib/base/document_file.ts";
export { run } from "./lib/container/run.ts";
export { writeSpec } from "./lib/container/spec.ts";
export type { SpecOptions } from "./lib/container/spec.ts";
export { attach, closeStdin, reopenLog, resize } from "./lib/supervise/attach.ts";
export type { AttachOptions, ProcessOptions } from "./lib/supervise/attach.ts";
export { supervisionEvents } from "./lib/supervise/events.ts";
export type { SupervisionEventsOptions } from "./lib/supervise/events.ts";
export type { SupervisionEvent } from "./lib/monitor/journal.ts";
export { execSupervised } from "./lib/supervise/exec.ts";
export type { SupervisedExec, SupervisedExecOptions } from "./lib/supervise/exec.ts";
export type { Attachment, Output } from "./lib/body/attachment.ts";
export { start } from "./lib/container/start.ts";
export { state } from "./lib/container/state.ts";
export type { StateDocument } from "./lib/container/state.ts";
export { update } from "./lib/container/update.ts";
export type { UpdateOptions } from "./lib/container/update.ts";
export { validateDocument } from "./lib/container/validate.ts";
export type { Validated, ValidateOptions } from "./lib/container/validate.ts";
export { versions } from "./lib/container/versions.ts";
export type { Versions } from "./lib/container/versions.ts";
export type {
  ChangeOptions,
  ContainerName,
  CreateOptions,
  DeleteOptions,
  ExecOptions,
  ExitStatus,
  KillOptions,
  RunOptions,
  Stdio,
  WaitOptions,
} from "./lib/caller/options.ts";
export { createSupervised, runSupervised } from "./lib/supervise/create.ts";
export type { SupervisedOptions } from "./lib/supervise/create.ts";
export type { LogChoice, SupervisionOptions } from "./lib/supervise/options.ts";
export { inspectContainer, listSupervised } from "./lib/supervise/list.ts";
export type {
  Inspected,
  InspectedProcess,
  SupervisedEntry,
  Supervision,
} from "./lib/supervise/list.ts";
export { logs } from "./lib/supervise/logs.ts";
export type { LogsOptions } from "./lib/supervise/logs.ts";
export type { LogLine } from "./lib/supervise/log_line.ts";
export { restart } from "./lib/supervise/restart.ts";
export { stop } from "./lib/supervise/stop.ts";
export type { StopOptions } from "./lib/supervise/stop.ts";
export { wait } from "./lib/supervise/wait.ts";
export type { WaitForOptions } from "./lib/supervise/wait.ts";
export type { ProcessStatus } from "./lib/monitor/standing.ts";
export type { ExitRecord } from "./lib/state/process_record.ts";
export type { LogSettings } from "./lib/state/supervised.ts";
export { isRuntsError, RuntsError } from "./lib/base/errors.ts";
export type { ErrorData } from "./lib/base/errors.ts";
export type * from "./lib/cgroup/stats/types.ts";
export type { Op } from "./lib/wire/ops.ts";
export type { Finding, Guess, Rule } from "./lib/spec/check/findings.ts";
export type * from "./lib/spec/types/config.ts";
