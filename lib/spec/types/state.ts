/** runtime.md, "State": what `state` prints and hooks read. */

/** What a container does; `paused` is an addition, as runc and crun have it. */
export type ContainerState = "creating" | "created" | "running" | "paused" | "stopped";

/** The state document. */
export interface State {
  /** Version of the specification that it follows. */
  readonly ociVersion: string;
  /** Its name below the state root. */
  readonly id: string;
  /** What it does. */
  readonly status: ContainerState;
  /** Required when created or running; absent or 0 when stopped. */
  readonly pid?: number;
  /** Absolute path of the bundle. */
  readonly bundle: string;
  /** Those of the configuration. */
  readonly annotations?: Readonly<Record<string, string>>;
}
