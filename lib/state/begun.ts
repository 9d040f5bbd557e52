/**
 * A start that the front of the linked executable has begun: init was let go, and what became of it is
 * more than the front can tell (tools/build/link/begun.ts).
 */

/** Descriptors that are open. */
export interface Begun {
  /** The container's lock, held. */
  readonly lock: number;
  /** result.fifo. */
  readonly result: number;
  /** pidfd of init. */
  readonly pidfd: number;
}

/** Undefined where nothing was begun. */
export function begunStart(): Begun | undefined {
  return undefined;
}
