/** Who did what, and when: what `--trace` writes. */

/** Whoever takes part. `start`: of the process, until runts is at work; `host`: init's part before the clone. */
export type Participant = "start" | "brain" | "front" | "monitor" | "host" | "init" | "hook";

/** Something that was done. Times are in µs since 1970. */
export interface TraceSpan {
  readonly who: Participant;
  readonly what: string;
  readonly begin: number;
  readonly end: number;
  /** What asks for it in the configuration. */
  readonly from?: string;
  /** Why it failed. */
  readonly failed?: string;
}

/** Takes note of what is done. */
export interface Trace {
  add(span: TraceSpan): void;
  /** Does something, and notes how long it took, also when it fails. */
  timed<T>(what: string, body: () => T, who?: Participant): T;
  /** The same object, whose calls are noted. */
  around<T extends object>(object: T, who: Participant): T;
}
