/** Waiting for a time. */

/** Up to so many ms a delay is short: whoever holds the event loop up for long makes it much longer. */
const SHORT = 50;

let short = 0;

/** Whether a short delay is about to come to its end. */
export function isDelayAwaited(): boolean {
  return short > 0;
}

/** Timers keep the event loop alive. An aborted delay throws the signal's reason. */
export function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  signal?.throwIfAborted();
  const counts = milliseconds <= SHORT ? 1 : 0;
  short += counts;
  const aborted = () => {
    short -= counts;
    clearTimeout(timer);
    reject(signal?.reason);
  };
  const timer = setTimeout(() => {
    short -= counts;
    signal?.removeEventListener("abort", aborted);
    resolve();
  }, milliseconds);
  signal?.addEventListener("abort", aborted);
  return promise;
}
