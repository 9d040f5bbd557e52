/** `run`: create and start in one, and in the foreground wait for the end. */

import { type Helper, loadHelper } from "../../ffi/helper.ts";
import { quote, reason } from "../base/errors.ts";
import { type OpenBundle, openBundle } from "../caller/bundle.ts";
import { checkConsole } from "../caller/console_socket.ts";
import { inCommand } from "../base/command.ts";
import { type Created, createLocked } from "./create.ts";
import { removeThis } from "./delete.ts";
import { SignalForwarding, Terminal, waitForExit } from "../caller/foreground.ts";
import { startLocked } from "./start.ts";
import type { GlobalOptions, RunOptions } from "../caller/options.ts";

/** Runs a container. Gives the exit code: that of the program, or 0 when detached. */
export function run(global: GlobalOptions, options: RunOptions): Promise<number> {
  return inCommand("run", options.id, async () => {
    const bundle = await openBundle(options);
    const foreground = bundle.spec.process?.terminal === true && !options.detach &&
      options.consoleSocket === undefined;
    if (!foreground) checkConsole(bundle.spec, options.consoleSocket);
    const helper = await loadHelper();
    if (options.detach) return await runDetached(helper, global, options, bundle);
    if (options.adoptOrphans) helper.setSubreaper(true);
    const terminal = foreground ? new Terminal(helper) : undefined;
    return await runAttached(helper, global, options, bundle, terminal);
  });
}

async function runDetached(
  helper: Helper,
  global: GlobalOptions,
  options: RunOptions,
  bundle: OpenBundle,
): Promise<number> {
  const begin = async (created: Created) => {
    const started = await startLocked(helper, global, created.directory, created.pidfd);
    helper.close(created.pidfd);
    return started;
  };
  const started = await createLocked(helper, global, options, bundle, {}, begin);
  await started.poststart();
  await started.ready();
  return 0;
}

async function runAttached(
  helper: Helper,
  global: GlobalOptions,
  options: RunOptions,
  bundle: OpenBundle,
  terminal: Terminal | undefined,
): Promise<number> {
  let signals: SignalForwarding | undefined;
  const attached = {
    ...(terminal && { console: terminal.socket }),
    // The handlers are set while init is at work.
    spawned: () => signals = new SignalForwarding(helper),
  };
  const begin = async (created: Created) => {
    await terminal?.connect(signals);
    signals?.to(created.pidfd);
    const started = await startLocked(helper, global, created.directory, created.pidfd);
    return { created, started };
  };
  try {
    const { created, started } = await createLocked(
      helper,
      global,
      options,
      bundle,
      attached,
      begin,
    );
    try {
      await started.poststart();
      const readiness = started.ready();
      const ending = await waitForExit(helper, created, options.adoptOrphans);
      await readiness;
      if (!options.keep) await cleanUp(helper, global, created);
      return ending.code;
    } finally {
      helper.close(created.pidfd); // until then signals may go there
    }
  } finally {
    await terminal?.disconnect(); // until then signals may ask it to end
    signals?.stop();
  }
}

/** The exit code is the program's, also where something of the container has to stay behind. */
async function cleanUp(
  helper: Helper,
  global: GlobalOptions,
  { directory, pid }: Created,
): Promise<void> {
  try {
    await removeThis(helper, global, directory, pid);
  } catch (error) {
    global.warn?.(`clean up ${quote(directory.id)}: ${reason(error)}`);
  }
}
