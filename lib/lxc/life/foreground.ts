/** A container in the foreground: the caller is joined to its console, and hands signals on. */

import { delay } from "../../base/delay.ts";
import { RuntsError } from "../../base/errors.ts";
import type { Attachment } from "../../body/attachment.ts";
import type { Monitor } from "../../body/monitor_client.ts";
import { openInit } from "../../container/kill.ts";
import { connectMonitor } from "../../monitor/connect.ts";
import type { LoadedRuntime } from "../../runtime/runtime.ts";
import type { StateDirectory } from "../../state/directory.ts";
import { INIT } from "../../state/process_record.ts";
import { systemNow } from "./state.ts";

/** Between two looks at a container that is being started anew, in ms. */
const PAUSE = 10;

/** One life of a container, as whoever waits for it has it. */
export class Foreground implements Disposable {
  readonly #runtime: LoadedRuntime;
  readonly #directory: StateDirectory;
  #monitor: Monitor | undefined;
  #streams: Attachment | undefined;

  constructor(runtime: LoadedRuntime, directory: StateDirectory) {
    this.#runtime = runtime;
    this.#directory = directory;
  }

  /** Joins init, which need not run yet. */
  async join(replay = false): Promise<void> {
    const monitor = await connectMonitor(this.#runtime, this.#directory);
    if (monitor === undefined) throw new RuntsError("its monitor has ended");
    this.#monitor = monitor;
    await monitor.subscribe(0n);
    this.#streams = await monitor.attach(INIT, { stdin: true, replay, exclusive: true });
  }

  get streams(): Attachment {
    return this.#streams!;
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#monitor?.resize(INIT, columns, rows);
  }

  async inputEnds(): Promise<void> {
    await this.#monitor?.closeStdin(INIT);
  }

  /** Sends init a signal; one that has ended gets none. */
  signal(number: number): void {
    try {
      const pidfd = openInit(this.#runtime, this.#directory.readStatus()!);
      this.#runtime.helper.sendSignal(pidfd, number);
      this.#runtime.helper.close(pidfd);
    } catch {
      // it has ended
    }
  }

  /** Waits for the end of init; its code. */
  async ended(): Promise<number> {
    for (;;) {
      const { name, code } = await this.#monitor!.nextEnd();
      if (name === INIT) return code;
    }
  }

  /** Waits for what follows: true once it runs anew and is joined again. */
  async again(): Promise<boolean> {
    this[Symbol.dispose]();
    for (;;) {
      const { state } = systemNow(this.#runtime, this.#directory.id);
      if (state === "STOPPED") return false;
      if (state === "RUNNING") {
        await this.join(true);
        return true;
      }
      await delay(PAUSE);
    }
  }

  [Symbol.dispose](): void {
    this.#streams?.[Symbol.dispose]();
    this.#monitor?.[Symbol.dispose]();
    this.#streams = this.#monitor = undefined;
  }
}
