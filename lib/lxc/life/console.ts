/** `lxc console`: the console of a container, or one of its terminals, for one at a time. */

import { EBUSY, ENOENT } from "../../base/errno.ts";
import { errnoOf, RuntsError } from "../../base/errors.ts";
import type { Attachment } from "../../body/attachment.ts";
import { connectMonitor } from "../../monitor/connect.ts";
import { load } from "../../runtime/load.ts";
import type { LoadedRuntime, Runtime } from "../../runtime/runtime.ts";
import { StateDirectory } from "../../state/directory.ts";
import { INIT } from "../../state/process_record.ts";
import { terminalNames } from "./input.ts";
import { readSystem } from "./record.ts";
import { systemNow } from "./state.ts";

/** A terminal that was taken. */
interface TakenTerminal extends Disposable {
  /** 0: the console. */
  readonly number: number;
  readonly streams: Attachment;
  resize(columns: number, rows: number): Promise<void>;
}

/** @param wanted 0: the console; undefined: the first terminal that is free */
export async function openTerminal(
  unloaded: Runtime,
  id: string,
  wanted?: number,
): Promise<TakenTerminal> {
  if (systemNow(unloaded, id).pid === undefined) throw new RuntsError("the container does not run");
  const runtime = await load(unloaded);
  const directory = new StateDirectory(unloaded, id);
  const count = terminalNames(readSystem(directory).plan).length;
  const numbers = wanted === undefined
    ? Array.from({ length: count }, (_, index) => index + 1)
    : [wanted];
  if (wanted !== undefined && wanted > count) {
    throw new RuntsError(`Denied access to tty ${wanted}`, { hint: `it has ${count}` });
  }
  for (const number of numbers) {
    const taken = await take(runtime, directory, number);
    if (taken !== undefined) return taken;
  }
  const which = wanted === undefined ? "any tty" : `tty ${wanted}`;
  const hint = count === 0 && wanted === undefined ? "lxc.tty.max is 0" : "somebody has it already";
  throw new RuntsError(`Denied access to ${which}`, { hint });
}

async function take(
  runtime: LoadedRuntime,
  directory: StateDirectory,
  number: number,
): Promise<TakenTerminal | undefined> {
  const name = number === 0 ? INIT : `tty${number}`;
  const monitor = await connectMonitor(runtime, directory);
  if (monitor === undefined) throw new RuntsError("its monitor has ended");
  try {
    const streams = await monitor.attach(name, { stdin: true, replay: true, exclusive: true });
    return {
      number,
      streams,
      resize: (columns, rows) => monitor.resize(name, columns, rows),
      [Symbol.dispose]() {
        streams[Symbol.dispose]();
        monitor[Symbol.dispose]();
      },
    };
  } catch (error) {
    monitor[Symbol.dispose]();
    if ([EBUSY, ENOENT].includes(errnoOf(error) ?? 0)) return undefined;
    throw error;
  }
}
