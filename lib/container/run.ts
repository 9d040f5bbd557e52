/** `run`: create and start in one, and in the foreground wait for the end. */

import { quote, reason } from "../base/errors.ts";
import type { OpenBundle } from "../caller/bundle.ts";
import { checkConsole } from "../caller/console_socket.ts";
import { Attachment } from "../caller/foreground.ts";
import type { RunOptions } from "../caller/options.ts";
import { inCommand } from "../runtime/command.ts";
import { load } from "../runtime/load.ts";
import type { LoadedRuntime, RuntimeOrSettings } from "../runtime/runtime.ts";
import { type Created, createLocked, openAndBegin } from "./create.ts";
import { removeThis } from "./delete.ts";
import { startLocked } from "./start.ts";

/**
 * Runs a container. Gives the exit code: that of the program, or 0 when detached. An aborted signal ends the
 * container in the foreground.
 */
export function run(given: RuntimeOrSettings, options: RunOptions): Promise<number> {
  return inCommand(given, "run", options.id, async (unloaded) => {
    const bundle = await openAndBegin(unloaded, options);
    const terminal = bundle.spec.process?.terminal === true && !options.detach &&
      options.consoleSocket === undefined;
    if (!terminal) checkConsole(bundle.spec, options.consoleSocket);
    const runtime = await load(unloaded);
    if (options.detach) return await runDetached(runtime, options, bundle);
    const adoptOrphans = options.adoptOrphans === true;
    const foreground = await Attachment.open(runtime, { terminal, adoptOrphans });
    try {
      return await runAttached(runtime, options, bundle, foreground);
    } finally {
      await foreground.end();
    }
  }, options.signal);
}

function starting(created: Created, { signal }: RunOptions) {
  return { created, ...(signal && { signal }) };
}

async function runDetached(
  runtime: LoadedRuntime,
  options: RunOptions,
  bundle: OpenBundle,
): Promise<number> {
  const begin = async (created: Created) => {
    const started = await startLocked(runtime, created.directory, starting(created, options));
    runtime.helper.close(created.pidfd);
    return started;
  };
  const started = await createLocked(runtime, options, bundle, undefined, begin);
  await started.poststart();
  await started.ready();
  return 0;
}

async function runAttached(
  runtime: LoadedRuntime,
  options: RunOptions,
  bundle: OpenBundle,
  foreground: Attachment,
): Promise<number> {
  const begin = async (created: Created) => {
    await foreground.join();
    foreground.forwardTo(created.pidfd);
    const started = await startLocked(runtime, created.directory, starting(created, options));
    return { created, started };
  };
  const { created, started } = await createLocked(runtime, options, bundle, foreground, begin);
  try {
    await started.poststart();
    const readiness = started.ready().catch(() => {}); // given up, as the wait is
    const ending = await runtime.timed(
      "the program runs",
      () => foreground.wait(created, options.signal),
    );
    await readiness;
    if (!options.keep) await cleanUp(runtime, created);
    options.signal?.throwIfAborted();
    return ending.code;
  } finally {
    runtime.helper.close(created.pidfd); // until then signals may go there
  }
}

/** The exit code is the program's, also where something of the container has to stay behind. */
async function cleanUp(
  runtime: LoadedRuntime,
  { directory, pid, spec }: Created,
): Promise<void> {
  try {
    await runtime.timed("remove the container", () => removeThis(runtime, directory, pid, spec));
  } catch (error) {
    runtime.warn(`clean up ${quote(directory.id)}: ${reason(error)}`);
  }
}
