/** Being asked to end. */

/** A signal that is aborted when this process is, by TERM or INT. */
export function whenAsked(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(name, () => stop.abort());
  }
  return stop.signal;
}
