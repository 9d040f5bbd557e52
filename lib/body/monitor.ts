/** A monitor as the parent of init. What is the caller's, another body does. */

import type { StartMonitor } from "../../ffi/monitor.ts";
import type { WindowSize } from "../../ffi/terminal.ts";
import { EAGAIN, EPIPE, ESRCH } from "../base/errno.ts";
import { errnoOf } from "../base/errors.ts";
import type {
  Body,
  Child,
  Foreground,
  HookEnding,
  HookProgram,
  InitRequest,
  ProcessEnding,
  Program,
  SpawnedInit,
  ToolEnding,
} from "./body.ts";
import type { Monitor, MonitorStdio } from "./monitor_client.ts";

/** The process that is going to be spawned. */
interface MonitoredProcess {
  /** `init`, or the id of an exec. */
  readonly name: string;
  /** Where its streams lead, unless the request gives descriptors: to pipes or a terminal of the monitor. */
  readonly streams: "output" | "input and output" | "terminal";
  /** That it begins with. */
  readonly umask: number;
}

/** First descriptor that init may inherit beside its standard streams. */
const FIRST_PRESERVED = 3;

/** The body of one process of a supervised container. */
export class MonitorBody implements Body {
  readonly reapsByItself = true;
  readonly #caller: Body;
  readonly #monitor: Monitor;
  readonly #process: MonitoredProcess;

  /** @param caller does what is not the parent's */
  constructor(caller: Body, monitor: Monitor, process: MonitoredProcess) {
    this.#caller = caller;
    this.#monitor = monitor;
    this.#process = process;
  }

  spawn({ plan, fds, trace, stdio, preserve }: InitRequest): Promise<SpawnedInit> {
    const { name, umask } = this.#process;
    return this.#monitor.spawn({
      name,
      plan,
      fds,
      preserved: Array.from({ length: preserve }, (_, index) => FIRST_PRESERVED + index),
      trace,
      stdio: this.#stdio(stdio, fds),
      umask,
    });
  }

  async reap({ pid }: Child): Promise<ProcessEnding | undefined> {
    try {
      return await this.#monitor.ending(pid);
    } catch (error) {
      if ([EAGAIN, ESRCH, EPIPE].includes(errnoOf(error) ?? 0)) return undefined;
      throw error;
    }
  }

  async awaitEnd(child: Child): Promise<ProcessEnding | undefined> {
    await this.#monitor.awaitEnd(child.pidfd);
    return await this.reap(child);
  }

  startMonitor(options: StartMonitor): Promise<void> {
    return this.#caller.startMonitor(options);
  }

  /** It does so all its life. */
  async adoptOrphans(): Promise<void> {}

  fetchDescriptor({ pid }: Child, fd: number): Promise<number> {
    return this.#monitor.fetch(pid, fd);
  }

  runHook(program: HookProgram): Promise<HookEnding> {
    return this.#caller.runHook(program);
  }

  runTool(tool: string, args: readonly string[]): Promise<ToolEnding> {
    return this.#caller.runTool(tool, args);
  }

  runProgram(program: Program, signal?: AbortSignal): Promise<ProcessEnding> {
    return this.#caller.runProgram(program, signal);
  }

  connect(path: string): Promise<number> {
    return this.#caller.connect(path);
  }

  sendDatagram(path: string, bytes: Uint8Array, fds: readonly number[]): Promise<void> {
    return this.#caller.sendDatagram(path, bytes, fds);
  }

  open(path: string, flags: number, mode?: number): Promise<number> {
    return this.#caller.open(path, flags, mode);
  }

  lockTaken(fd: number, path: string): void {
    this.#caller.lockTaken(fd, path);
  }

  forOne(): Body {
    return new MonitorBody(this.#caller.forOne(), this.#monitor, this.#process);
  }

  shareLock(shared: boolean): Promise<void> {
    return this.#caller.shareLock(shared);
  }

  isInheritable(fd: number): Promise<boolean> {
    return this.#caller.isInheritable(fd);
  }

  terminalSize(): Promise<WindowSize | undefined> {
    return this.#caller.terminalSize();
  }

  beginForeground(): Foreground {
    return this.#caller.beginForeground();
  }

  /** The slot that is left empty is that of the console. */
  #stdio(stdio: InitRequest["stdio"], fds: readonly number[]): MonitorStdio {
    if (stdio === "null") return { kind: "null" };
    if (stdio !== "inherit") return { kind: "given", fds: stdio };
    const { streams } = this.#process;
    if (streams === "terminal") return { kind: "terminal", console: fds.indexOf(-1) };
    return { kind: "pipes", input: streams === "input and output" };
  }
}
