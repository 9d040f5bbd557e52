/** `run --supervised` without `--detach`, seen from a terminal. */

import { DETACH_KEYS, joinStreams, KeyWatch, parseKeys } from "../cli/join.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { closeStdin, resize } from "../supervise/attach.ts";
import type { SupervisedOptions } from "../supervise/create.ts";
import { runJoined } from "../supervise/run.ts";
import { waitFor } from "../supervise/wait.ts";

/** Its streams are ours until it ends, and its exit code, too; the container stays. */
export async function runInForeground(
  runtime: Runtime,
  options: SupervisedOptions,
): Promise<number> {
  const { id } = options;
  const { streams, of, input, started, end } = await runJoined(runtime, options);
  const failed = started.then(() => undefined, (error: unknown) => ({ error }));
  try {
    using _detach = streams;
    const parted = await joinStreams(streams, {
      input,
      signalsHandedOn: true,
      watch: new KeyWatch(parseKeys("keys", DETACH_KEYS)),
      resize: (columns, rows) => resize(runtime, { id, columns, rows }),
      inputEnds: () => closeStdin(runtime, { id }),
    });
    const failure = await failed;
    if (failure !== undefined) throw failure.error;
    if (parted === "detached") return 0;
    if (parted !== "ended") return 128 + parted.signal;
    return (await waitFor(runtime, { id }, of)).code;
  } finally {
    await end();
  }
}
