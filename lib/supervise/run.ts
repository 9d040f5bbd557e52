/** `run` of a container that a monitor looks after, in the foreground. */

import { RuntsError } from "../base/errors.ts";
import type { Attachment } from "../body/attachment.ts";
import type { Foreground } from "../body/body.ts";
import type { Created } from "../container/create.ts";
import { startLocked } from "../container/start.ts";
import { connectMonitor } from "../monitor/connect.ts";
import { processDirectory } from "../monitor/places.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { INIT, type ProcessName, readProcessRecord } from "../state/process_record.ts";
import { make, type SupervisedOptions } from "./create.ts";

/** A program that has begun, and the caller joined to it. */
interface Begun {
  /** All that it writes; the caller disposes of them. */
  readonly streams: Attachment;
  /** Which process it is: one that is started anew is another one. */
  readonly of: ProcessName;
  /** Whether it takes what the caller types. */
  readonly input: boolean;
  /** What is left of its start: hooks, and that it is ready. */
  readonly started: Promise<void>;
  /** It gets the caller's signals no longer. */
  end(): Promise<void>;
}

/** Makes it and starts it. From the beginning its signals are those of the caller. */
export function runJoined(
  given: RuntimeOrSettings,
  options: SupervisedOptions,
): Promise<Begun> {
  return inCommand(given, "run", options.id, async (unloaded) => {
    const runtime = await load(unloaded);
    const foreground = runtime.body.beginForeground();
    try {
      const { interactive = false } = options.supervised;
      const { finish, ...begun } = await make(
        runtime,
        options,
        (_, created) => begin(runtime, created, foreground, interactive),
      );
      // Hooks may call runts themselves: nobody holds the lock any more.
      return { ...begun, started: inCommand(runtime, "run", options.id, finish) };
    } catch (error) {
      await foreground.end();
      throw error;
    }
  }, options.signal);
}

async function begin(
  runtime: LoadedRuntime,
  { directory, pidfd }: Created,
  foreground: Foreground,
  interactive: boolean,
): Promise<Omit<Begun, "started"> & { finish(): Promise<void> }> {
  const { helper } = runtime;
  using monitor = await connectMonitor(runtime, directory);
  if (monitor === undefined) throw new RuntsError("its monitor has ended");
  const { spec, ...of } = readProcessRecord(processDirectory(directory, INIT))!;
  const streams = await monitor.attach(INIT, { stdin: true, replay: false });
  try {
    foreground.forwardTo(pidfd);
    const started = await startLocked(runtime, directory, { child: pidfd });
    return {
      streams,
      of,
      input: spec?.terminal === true || interactive,
      finish: async () => {
        await started.poststart();
        started.ready().catch(() => {}); // given up, as the wait is
      },
      end: async () => {
        await foreground.end();
        helper.close(pidfd);
      },
    };
  } catch (error) {
    streams[Symbol.dispose]();
    helper.close(pidfd);
    throw error;
  }
}
