/** This process as the body: it is the caller, and the parent of what it starts. */

import type { Helper } from "../../ffi/helper.ts";
import type { HookEnding, HookProgram } from "../../ffi/hooks.ts";
import type { StartMonitor } from "../../ffi/monitor.ts";
import type { ProcessEnding } from "../../ffi/process.ts";
import type { WindowSize } from "../../ffi/terminal.ts";
import { O_RDWR } from "../base/linux.ts";
import type {
  Body,
  Child,
  Foreground,
  InitRequest,
  Program,
  SpawnedInit,
  ToolEnding,
} from "./body.ts";
import { LocalForeground } from "./foreground.ts";

/** Everything by the helper library, in this process. */
export class LocalBody implements Body {
  readonly #helper: Helper;
  readonly reapsByItself = false;

  constructor(helper: Helper) {
    this.#helper = helper;
  }

  // deno-lint-ignore require-await
  async spawn({ stdio, ...request }: InitRequest): Promise<SpawnedInit> {
    if (stdio === "inherit") return this.#helper.spawnInit(request);
    if (stdio !== "null") return this.#helper.spawnInit({ ...request, stdio });
    const fd = this.#helper.open("/dev/null", O_RDWR);
    try {
      return this.#helper.spawnInit({ ...request, stdio: [fd, fd, fd] });
    } finally {
      this.#helper.close(fd);
    }
  }

  // deno-lint-ignore require-await
  async reap({ pidfd }: Child): Promise<ProcessEnding | undefined> {
    return this.#helper.reap(pidfd);
  }

  async awaitEnd(child: Child, others: boolean): Promise<ProcessEnding | undefined> {
    if (others) return await this.#helper.reapUntil(child.pid);
    await this.#helper.awaitExit(child.pidfd);
    return await this.reap(child);
  }

  async startMonitor(options: StartMonitor): Promise<void> {
    const { monitorCalls } = await import("../../ffi/monitor.ts");
    monitorCalls().start(options);
  }

  // deno-lint-ignore require-await
  async adoptOrphans(): Promise<void> {
    this.#helper.setSubreaper(true);
  }

  // deno-lint-ignore require-await
  async fetchDescriptor({ pidfd }: Child, fd: number): Promise<number> {
    return this.#helper.pidfdGetFd(pidfd, fd);
  }

  runHook(program: HookProgram): Promise<HookEnding> {
    return this.#helper.runHook(program);
  }

  runTool(tool: string, args: readonly string[]): Promise<ToolEnding> {
    // Our working directory may be one that only others can enter.
    const options: Deno.CommandOptions = { args: [...args], cwd: "/", stdin: "null" };
    return new Deno.Command(tool, options).output();
  }

  async runProgram(program: Program, signal?: AbortSignal): Promise<ProcessEnding> {
    const { runProgram } = await import("../../ffi/program.ts");
    return await runProgram(this.#helper, program, signal);
  }

  connect(path: string): Promise<number> {
    return this.#helper.connectUnix(path);
  }

  sendDatagram(path: string, bytes: Uint8Array, fds: readonly number[]): Promise<void> {
    return this.#helper.sendDatagram(path, bytes, fds);
  }

  // deno-lint-ignore require-await
  async open(path: string, flags: number, mode?: number): Promise<number> {
    return this.#helper.open(path, flags, mode);
  }

  /** It has the lock itself. */
  lockTaken(): void {}

  forOne(): Body {
    return this;
  }

  async shareLock(): Promise<void> {}

  /** Those that Deno has opened close when a program is executed. */
  // deno-lint-ignore require-await
  async isInheritable(fd: number): Promise<boolean> {
    return this.#helper.fdFlags(fd) === 0;
  }

  // deno-lint-ignore require-await
  async terminalSize(): Promise<WindowSize | undefined> {
    const fd = [0, 1, 2].find((fd) => this.#helper.isTerminal(fd));
    return fd === undefined ? undefined : this.#helper.windowSize(fd);
  }

  beginForeground(): Foreground {
    return new LocalForeground(this.#helper);
  }
}
