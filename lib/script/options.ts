/** What the objects of the library take. */

import type { CreateOptions, ExecOptions, StreamTargets } from "../caller/options.ts";
import type { CheckpointOptions } from "../container/checkpoint.ts";
import type { RestoreOptions } from "../criu/options.ts";
import type { Runtime, RuntimeSettings } from "../runtime/runtime.ts";
import type { SupervisionOptions } from "../supervise/options.ts";
import type { StreamOptions } from "./stdio.ts";
import type { TerminalSize } from "./terminal.ts";

/** Where and how a script's containers are kept: settings, or the runtime that has them. */
export type ContainerSettings = RuntimeSettings & {
  /** For several containers with the same settings. */
  readonly runtime?: Runtime;
};

/** What {@linkcode Container.create} takes. */
export type ContainerOptions =
  & Omit<CreateOptions, keyof StreamTargets>
  & ContainerSettings
  & ((StreamOptions & { readonly supervised?: never }) | SupervisedChoice);

/** What {@linkcode Container.checkpoint} takes. */
export type ContainerCheckpointOptions = Omit<CheckpointOptions, "id">;

/** What {@linkcode Container.restore} takes. */
export type ContainerRestoreOptions =
  & ContainerOptions
  & Omit<RestoreOptions, keyof CreateOptions | "detach" | "adoptOrphans">;

/** That a monitor looks after a container. */
export type SupervisedChoice = StreamTargets & {
  /**
   * It outlives the script, and how it ends is kept. Its streams are the monitor's, which writes its log:
   * `logs`, `attach`.
   */
  readonly supervised: SupervisionOptions;
};

/** What {@linkcode Container.exec} takes, which neither waits nor tells anybody else of the process. */
export type ContainerExecOptions =
  & Omit<
    ExecOptions,
    | keyof StreamTargets
    | ("id" | "args" | "terminal" | "detach" | "pidFile" | "pidfdSocket" | "adoptOrphans")
  >
  & StreamOptions
  & {
    /** Gives it a terminal, of this size if one is given. */
    readonly terminal?: boolean | TerminalSize;
  };

/** What {@linkcode Container.execSupervised} takes. */
export type SupervisedExecSettings =
  & Omit<ContainerExecOptions, keyof StreamOptions | "terminal" | "consoleSocket">
  & {
    /** Its name among the processes of the container; default `exec-N`. */
    readonly name?: string;
    /** Whether its input stays open for whoever attaches. */
    readonly interactive?: boolean;
    /** Joins its streams from the beginning: `streams`. */
    readonly attach?: boolean;
    /** Gives it a terminal, which the monitor has. */
    readonly terminal?: boolean;
  };
