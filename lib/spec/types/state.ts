/** runtime.md, "State": what `state` prints and hooks read. */

/** `paused` is an addition, as runc and crun have it. */
export type Status = "creating" | "created" | "running" | "paused" | "stopped";

export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: Status;
  /** Required when created or running; absent or 0 when stopped. */
  readonly pid?: number;
  /** Absolute. */
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}
