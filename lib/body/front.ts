/**
 * A front as the body (c/front/body.c): the process that the caller has started, which a warm brain works
 * for.
 */

import type { HookEnding, HookProgram } from "../../ffi/hooks.ts";
import type { MonitorCalls, StartMonitor } from "../../ffi/monitor.ts";
import { ownDescriptor } from "../../ffi/own_descriptor.ts";
import type { ProcessEnding } from "../../ffi/process.ts";
import type { WindowSize } from "../../ffi/terminal.ts";
import { encodeText } from "../base/bytes.ts";
import { delay } from "../base/delay.ts";
import { EAGAIN, ESRCH, ETIMEDOUT } from "../base/errno.ts";
import { readLink } from "../base/files.ts";
import { errnoOf, quote, RuntsError } from "../base/errors.ts";
import {
  BodyMax,
  BodyStdio,
  type Command,
  decodeEnding,
  encodeCommand,
  Operation,
  SPAWN_EARLY,
  SPAWN_TRACE,
} from "../wire/body.ts";
import { COLD, decodeDescriptor, type FrontDescriptor } from "../wire/front.ts";
import type {
  Body,
  Child,
  EarlyInit,
  Foreground,
  InitRequest,
  SpawnedInit,
  Spawning,
  ToolEnding,
} from "./body.ts";
import { BodyConnection, type BodyRequest } from "./connection.ts";
import { FrontForeground } from "./front_foreground.ts";
import {
  type FrontHelper,
  type ProgramFront,
  runFrontHook,
  runFrontTool,
} from "./front_program.ts";
import { WaitingInit } from "./waiting_init.ts";

/** How long the other side of a stream may take to accept, in ms, and after what time we try again. */
const PATIENCE = 10_000;
const PAUSE = 10;
/** Bytes of text in a packet; each takes room that must be there at once. */
const TEXT_MAX = BodyMax.packet - 64;

/** Calls that are made in this process for a front. */
export type FrontCalls = Pick<
  MonitorCalls,
  "send" | "receive" | "sealedFile" | "initImage" | "monitorImage"
>;

/** The body of one command. Errors are RuntsError with the front's error number. */
export class FrontBody implements Body, ProgramFront, Disposable {
  readonly #helper: FrontHelper;
  readonly #calls: FrontCalls;
  readonly #connection: BodyConnection;
  readonly #environment: readonly string[];
  /** By its own end, at the latest. */
  readonly reapsByItself = true;
  readonly #alone = Promise.withResolvers<void>();
  /**
   * What is left to do after the end of a program that is waited for: the front's, if this process has gone by
   * then. An empty path is that of the front's own executable.
   */
  afterwards: Command | undefined;
  #waiting: WaitingInit | undefined;
  #lock: { readonly fd: number; readonly path: string } | undefined;

  /**
   * @param front its socket, which is the body's from now on, or the connection of another body
   * @param environment of the caller
   */
  constructor(
    helper: FrontHelper,
    calls: FrontCalls,
    front: number | BodyConnection,
    environment: readonly string[],
  ) {
    this.#environment = environment;
    this.#helper = helper;
    this.#calls = calls;
    this.#connection = typeof front === "number"
      ? new BodyConnection(helper, calls, front, "the front")
      : front;
  }

  /** Aborted when the front has gone. */
  get ended(): AbortSignal {
    return this.#connection.ended;
  }

  /** Comes when the end of a program is waited for: the front can do that without this process. */
  get alone(): Promise<void> {
    return this.#alone.promise;
  }

  /** Comes back when the front wants the command to be carried out. */
  async accept(): Promise<void> {
    await this.#connection.ask("accept the command", { operation: Operation.accept });
  }

  /** From now on its end is noticed. */
  watch(): void {
    this.#connection.watch();
  }

  /** The front ends with this exit code. */
  async end(code: number): Promise<void> {
    await this.#waiting?.drop(this);
    await this.#connection.tell({ operation: Operation.end, fields: [code] });
  }

  /** The front starts Deno; nothing must have been done. */
  async refuse(): Promise<void> {
    await this.end(COLD);
  }

  /** Writes to a descriptor of the caller. */
  async print(fd: number, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += TEXT_MAX) {
      const part = bytes.subarray(at, at + TEXT_MAX);
      await this.ask("print", { operation: Operation.print, fields: [fd], bytes: part });
    }
  }

  startEarly(request: EarlyInit): void {
    const { preserve, trace, namespaces } = request;
    const flags = SPAWN_EARLY | (trace ? SPAWN_TRACE : 0) | namespaces;
    const child = this.#spawn({
      fields: [0, preserve, flags, BodyStdio.own, -1, 0],
      fds: [this.#calls.initImage()],
    });
    this.#waiting = new WaitingInit(this.#helper, this.#calls, request, child);
  }

  async takesLate(request: Spawning, slots: number): Promise<boolean> {
    return this.#waiting?.suits(request, slots) === true && await this.#waiting.isThere();
  }

  async spawn(request: InitRequest): Promise<SpawnedInit> {
    const waiting = this.#waiting;
    if (waiting?.suits(request, request.fds.length)) {
      this.#waiting = undefined;
      const init = await waiting.take(request);
      if (init !== undefined) return init;
    }
    return await this.#spawnNow(request);
  }

  async #spawnNow({ plan, fds, trace, stdio, preserve }: InitRequest): Promise<SpawnedInit> {
    if (stdio === "null") throw new RuntsError("start init: no null streams in a front");
    const file = this.#calls.sealedFile("runts-plan", plan);
    try {
      const own = stdio === "inherit";
      await this.#handOver(fds);
      return await this.#spawn({
        fields: [
          ...[fds.length, preserve, trace ? SPAWN_TRACE : 0],
          ...[own ? BodyStdio.own : BodyStdio.given, -1, 0],
        ],
        fds: [this.#calls.initImage(), file, ...own ? [] : stdio],
      });
    } finally {
      this.#helper.close(file);
    }
  }

  async #spawn(request: Pick<BodyRequest, "fields" | "fds">): Promise<SpawnedInit> {
    const { fields, fds: [pidfd, socket] } = await this.ask("start init", {
      ...request,
      operation: Operation.spawn,
      texts: [""],
    });
    return { pid: fields.getInt32(0, true), pidfd: pidfd!, socket: socket! };
  }

  reap(child: Child): Promise<ProcessEnding | undefined> {
    return this.#endingOf(child, Operation.ending);
  }

  async #endingOf(
    { pid }: Child,
    operation: number,
    fds: readonly number[] = [],
  ): Promise<ProcessEnding | undefined> {
    const request = { operation, fields: [pid], fds };
    try {
      const { fields } = await this.ask(`learn how process ${pid} ended`, request);
      const { code, signal, core } = decodeEnding(fields);
      return { code: signal === 0 ? code : 0, signal, core };
    } catch (error) {
      if ([EAGAIN, ESRCH].includes(errnoOf(error) ?? 0)) return undefined;
      throw error;
    }
  }

  /** It reaps every other in any case. */
  async awaitEnd(child: Child): Promise<ProcessEnding | undefined> {
    const file = this.afterwards &&
      this.#calls.sealedFile("runts-command", encodeCommand(this.afterwards));
    const fds = file === undefined ? [] : [file];
    try {
      const ending = this.#endingOf(child, Operation.await, fds);
      this.#alone.resolve();
      return await ending;
    } finally {
      if (file !== undefined) this.#helper.close(file);
    }
  }

  async startMonitor(options: StartMonitor): Promise<void> {
    const { listening, connection, idleMs, title } = options;
    await this.ask("start a monitor", {
      operation: Operation.monitor,
      fields: [idleMs],
      texts: [title],
      fds: [this.#calls.monitorImage(), connection, ...listening < 0 ? [] : [listening]],
    });
  }

  async adoptOrphans(): Promise<void> {
    await this.ask("become a subreaper", { operation: Operation.adopt });
  }

  async fetchDescriptor({ pid }: Child, fd: number): Promise<number> {
    const request = { operation: Operation.fetch, fields: [pid, fd] };
    return (await this.ask(`fetch descriptor ${fd} of a process`, request)).fds[0]!;
  }

  runHook(program: HookProgram): Promise<HookEnding> {
    return runFrontHook({ helper: this.#helper, calls: this.#calls, front: this }, program);
  }

  runTool(tool: string, args: readonly string[]): Promise<ToolEnding> {
    const front = { helper: this.#helper, calls: this.#calls, front: this };
    return runFrontTool(front, this.#environment, tool, args);
  }

  // deno-lint-ignore require-await
  async runProgram(): Promise<never> {
    throw new RuntsError("a front runs no program with the caller's streams");
  }

  async connect(path: string): Promise<number> {
    const what = `connect to socket ${quote(path)}`;
    const end = performance.now() + PATIENCE;
    while (performance.now() < end) {
      try {
        return (await this.ask(what, { operation: Operation.connect, texts: [path] })).fds[0]!;
      } catch (error) {
        if (errnoOf(error) !== EAGAIN) throw error;
      }
      await delay(PAUSE, this.ended);
    }
    throw new RuntsError(what, { errno: ETIMEDOUT });
  }

  async sendDatagram(
    path: string,
    bytes: Uint8Array,
    fds: readonly number[],
  ): Promise<void> {
    const what = `send to socket ${quote(path)}`;
    const request = { operation: Operation.datagram, texts: [path] };
    if (bytes.length + encodeText(path).length <= TEXT_MAX) {
      await this.ask(what, { ...request, fields: [0], bytes, fds });
      return;
    }
    const file = this.#calls.sealedFile("runts-datagram", bytes);
    try {
      await this.ask(what, { ...request, fields: [1], fds: [file, ...fds] });
    } finally {
      this.#helper.close(file);
    }
  }

  async open(path: string, flags: number, mode = 0o600): Promise<number> {
    const request = { operation: Operation.open, fields: [flags, mode], texts: [path] };
    return (await this.ask(`open ${quote(path)}`, request)).fds[0]!;
  }

  lockTaken(fd: number, path: string): void {
    this.#lock = { fd, path };
  }

  forOne(): FrontBody {
    return new FrontBody(this.#helper, this.#calls, this.#connection, this.#environment);
  }

  async shareLock(shared: boolean): Promise<void> {
    const { lock } = this;
    if (lock === undefined) return;
    await this.ask("share the lock", { operation: Operation.hold, fds: shared ? [lock] : [] });
  }

  /** The lock that is held for it; undefined when it was given up. */
  get lock(): number | undefined {
    if (this.#lock === undefined) return undefined;
    const { fd, path } = this.#lock;
    return readLink(ownDescriptor(fd)) === path ? fd : undefined;
  }

  async isInheritable(fd: number): Promise<boolean> {
    return (await this.descriptor(fd)).inherited;
  }

  async terminalSize(): Promise<WindowSize | undefined> {
    const streams = await Promise.all([0, 1, 2].map((fd) => this.descriptor(fd)));
    return streams.find(({ terminal }) => terminal !== undefined)?.terminal;
  }

  /** What a descriptor of the caller is. */
  async descriptor(fd: number): Promise<FrontDescriptor> {
    const request = { operation: Operation.descriptor, fields: [fd] };
    return decodeDescriptor((await this.ask(`look at descriptor ${fd}`, request)).fields);
  }

  beginForeground(): Foreground {
    return new FrontForeground((what, request) => this.ask(what, request));
  }

  /** Closes the connection; a front that was not told how to end says so. */
  [Symbol.dispose](): void {
    this.#waiting?.[Symbol.dispose]();
    this.#connection[Symbol.dispose]();
  }

  /** Asks the front for one operation. */
  ask(what: string, request: BodyRequest): ReturnType<BodyConnection["ask"]> {
    return this.#connection.ask(what, request);
  }

  /** Descriptors for the slots of the next spawn, which tells if that has failed. */
  async #handOver(fds: readonly number[]): Promise<void> {
    const given = [...fds.entries()].filter(([, fd]) => fd >= 0);
    for (let at = 0; at < given.length || at === 0; at += BodyMax.fds) {
      const batch = given.slice(at, at + BodyMax.fds);
      await this.#connection.tell({
        operation: Operation.fds,
        fields: batch.map(([slot]) => slot),
        fds: batch.map(([, fd]) => fd),
      });
    }
  }
}
