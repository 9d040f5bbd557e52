/** How long we hold up the event loop: what a script has, and the command line has not. */

/**
 * How long a wait first waits in the calling thread, in ms; from then on, and by default from the
 * start, by the thread that all waits share. What comes at once, as most answers of init do, costs no
 * change of thread then: right for a process that has nothing else to do, as the command line.
 */
export const patience = { ms: 0 };

let turns = Promise.resolve();

/**
 * Lets everybody else have a turn of the event loop: verbs that never have to wait would follow each
 * other without one. Those that ask at the same time get one after the other.
 */
export function turn(): Promise<void> {
  if (patience.ms > 0) return Promise.resolve();
  return turns = turns.then(() => new Promise((resolve) => setImmediate(resolve)));
}
