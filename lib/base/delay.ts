/** Waiting for a time. */

/** Timers keep the event loop alive. An aborted delay throws the signal's reason. */
export function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  signal?.throwIfAborted();
  const aborted = () => {
    clearTimeout(timer);
    reject(signal?.reason);
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", aborted);
    resolve();
  }, milliseconds);
  signal?.addEventListener("abort", aborted);
  return promise;
}
