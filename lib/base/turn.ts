/** Letting others have the event loop. */

let turns = Promise.resolve();

/**
 * Lets everybody else have a turn of the event loop: verbs that never have to wait would follow each
 * other without one. Those that ask at the same time get one after the other.
 */
export function turn(): Promise<void> {
  return turns = turns.then(() => new Promise((resolve) => setImmediate(resolve)));
}
