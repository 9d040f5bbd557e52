/** Letting others have the event loop. */

let turns = Promise.resolve();
let awaited = 0;

/**
 * Lets everybody else have a turn of the event loop: verbs that never have to wait would follow each
 * other without one. Those that ask at the same time get one after the other.
 */
export function turn(): Promise<void> {
  awaited++;
  return turns = turns.then(() =>
    new Promise((resolve) =>
      setImmediate(() => {
        awaited--;
        resolve();
      })
    )
  );
}

/** Whether anybody waits for a turn. */
export function isTurnAwaited(): boolean {
  return awaited > 0;
}
