/** A connection to a monitor: each operation of lib/wire/body.ts as a call. It decides nothing. */

import type { Body } from "./body.ts";
import { quote } from "../base/errors.ts";
import {
  AttachFlag,
  BodyMax,
  BodyStdio,
  type Command,
  decodeEnding,
  decodeHeld,
  decodeHello,
  decodeStatus,
  encodeCommand,
  type Ended,
  type Hello,
  LogDriver,
  type MonitorStatus,
  Operation,
  PLACE_PRESERVED,
  SPAWN_TRACE,
} from "../wire/body.ts";
import { type MonitorCalls, monitorCalls } from "../../ffi/monitor.ts";
import type { ProcessEnding } from "../../ffi/process.ts";
import { Attachment } from "./attachment.ts";
import { BodyConnection, type Descriptors } from "./connection.ts";

/** Where the standard streams of a program come from. */
export type MonitorStdio =
  | { readonly kind: "null" }
  /** Pipes that the monitor reads; with `input`, one that it writes to, else /dev/null. */
  | { readonly kind: "pipes"; readonly input: boolean }
  /** The slot of the plan where the monitor puts the socket that brings it the terminal's master. */
  | { readonly kind: "terminal"; readonly console: number }
  /** Descriptors of this process. */
  | { readonly kind: "given"; readonly fds: readonly [number, number, number] };

/** What init is started with; every descriptor stays the caller's. */
interface MonitorSpawn {
  /** `init`, or the id of an exec. */
  readonly name: string;
  /** A sealed file in memory; default: that of this build. */
  readonly image?: number;
  /** Encoded plan (lib/wire/encode.ts). */
  readonly plan: Uint8Array;
  /** Descriptors of the plan's first slots; -1 leaves a slot empty. */
  readonly fds: readonly number[];
  /** What init inherits as 3, 4, …; -1: nothing. */
  readonly preserved?: readonly number[];
  readonly trace?: boolean;
  readonly stdio: MonitorStdio;
  /** That init begins with. */
  readonly umask: number;
}

/** How somebody is attached. */
interface AttachFlags {
  readonly stdin: boolean;
  readonly replay: boolean;
  /** Only where nobody with input is. */
  readonly exclusive?: boolean;
}

/** Where the output of a process goes. */
export type LogTarget =
  | { readonly driver: "none" }
  | {
    readonly driver: Exclude<keyof typeof LogDriver, "none">;
    /** Absolute path of the log, or of the journal's socket. */
    readonly path: string;
    /** Bytes of one file; 0, the default, is no limit. */
    readonly maxSize?: number;
    /** Files in all, 1 or more, which is the default. */
    readonly maxFiles?: number;
    /** For the journal: `NAME=VALUE`. */
    readonly fields?: readonly string[];
  };

/** What is watched; descriptors stay the caller's. */
interface WatchRequest {
  readonly name: string;
  readonly pid: number;
  readonly log: LogTarget;
  /** Descriptor of the process' directory (O_PATH will do). */
  readonly directory: number;
  /** Descriptor of memory.events or memory.oom_control. */
  readonly oom?: number;
}

/** Which recorded ends a monitor still has; 0: none. */
interface EndedRange {
  readonly oldest: bigint;
  readonly newest: bigint;
}

/** Errors are RuntsError with the monitor's error number; once it has gone, their cause says EPIPE. */
export class Monitor implements Disposable {
  protected readonly helper: Descriptors;
  protected readonly calls: MonitorCalls;
  protected readonly connection: BodyConnection;
  /** Descriptors are handed over for one spawn at a time. */
  #spawned: Promise<unknown> = Promise.resolve();

  protected constructor(helper: Descriptors, calls: MonitorCalls, socket: number) {
    this.helper = helper;
    this.calls = calls;
    this.connection = new BodyConnection(helper, calls, socket, "the monitor");
  }

  /**
   * Starts a monitor.
   *
   * @param options `listening`: a socket that it takes connections from, which stays the caller's, or -1.
   *   `idleMs`: how long it stays when there is nothing to do. `title`: what process lists show
   * @param body starts it
   */
  static async start(
    helper: Descriptors,
    options: { readonly listening: number; readonly idleMs: number; readonly title: string },
    body: Pick<Body, "startMonitor">,
  ): Promise<Monitor> {
    const calls = monitorCalls();
    const [ours, theirs] = calls.pair();
    try {
      await body.startMonitor({ ...options, connection: theirs });
      return new Monitor(helper, calls, ours);
    } catch (error) {
      helper.close(ours);
      throw error;
    } finally {
      helper.close(theirs);
    }
  }

  /** Connects to a monitor that runs. ECONNREFUSED or ENOENT when there is none. */
  static async connect(helper: Descriptors, path: string): Promise<Monitor> {
    const calls = monitorCalls();
    return new Monitor(helper, calls, await calls.connect(path));
  }

  async hello(): Promise<Hello> {
    const what = "greet the monitor";
    return decodeHello((await this.connection.ask(what, { operation: Operation.hello })).fields);
  }

  /** Starts init as a child of the monitor: stage 1, and this side of the conversation. */
  spawn(request: MonitorSpawn): Promise<{ pid: number; pidfd: number; socket: number }> {
    const spawned = this.#spawned.then(() => this.#spawn(request));
    this.#spawned = spawned.catch(() => {});
    return spawned;
  }

  async #spawn(request: MonitorSpawn): Promise<{ pid: number; pidfd: number; socket: number }> {
    const { name, fds, preserved = [], stdio, trace = false, umask } = request;
    const plan = this.calls.sealedFile("runts-plan", request.plan);
    try {
      const image = request.image ?? this.calls.initImage();
      const handed = this.#handOver([
        ...fds.map((fd, slot) => [slot, fd] as const),
        ...preserved.map((fd, index) => [PLACE_PRESERVED + index, fd] as const),
      ]);
      const spawned = this.connection.ask("start init", {
        operation: Operation.spawn,
        fields: [
          ...[fds.length, preserved.length, trace ? SPAWN_TRACE : 0, stdioNumber(stdio)],
          ...[stdio.kind === "terminal" ? stdio.console : -1, umask],
        ],
        texts: [name],
        fds: [image, plan, ...stdio.kind === "given" ? stdio.fds : []],
      });
      // The monitor does one after the other; nobody has waited in between.
      const [over, answer] = await Promise.allSettled([handed, spawned]);
      if (over.status === "rejected" && answer.status === "fulfilled") {
        for (const fd of answer.value.fds) this.helper.close(fd); // which ends it
      }
      if (over.status === "rejected") throw over.reason;
      if (answer.status === "rejected") throw answer.reason;
      const { fields, fds: [pidfd, socket] } = answer.value;
      return { pid: fields.getInt32(0, true), pidfd: pidfd!, socket: socket! };
    } finally {
      this.helper.close(plan);
    }
  }

  /** How a child ended. EAGAIN while it lives; ESRCH when it is none, or has not been one for long. */
  async ending(pid: number): Promise<ProcessEnding> {
    const request = { operation: Operation.ending, fields: [pid] };
    const { fields } = await this.connection.ask(`learn how process ${pid} ended`, request);
    const { code, signal, core } = decodeEnding(fields);
    return { code: signal === 0 ? code : 0, signal, core };
  }

  /** Waits until the process of a pidfd has ended; it need not have been reaped. */
  async awaitEnd(pidfd: number): Promise<void> {
    await this.helper.awaitFds([pidfd]);
  }

  /** A copy of a child's descriptor (pidfd_getfd(2), Linux 5.6). ESRCH when it is no child. */
  async fetch(pid: number, fd: number): Promise<number> {
    const request = { operation: Operation.fetch, fields: [pid, fd] };
    const { fds } = await this.connection.ask(`fetch descriptor ${fd} of process ${pid}`, request);
    return fds[0]!;
  }

  /** From now on the end of the process is that of the name. */
  async watch({ name, pid, log, directory, oom }: WatchRequest): Promise<void> {
    const target = log.driver === "none" ? undefined : log;
    await this.connection.ask(`watch process ${pid}`, {
      operation: Operation.watch,
      fields: [
        ...[pid, LogDriver[log.driver], BigInt(target?.maxSize ?? 0), target?.maxFiles ?? 1, 0],
      ],
      texts: [name, target?.path ?? "", (target?.fields ?? []).map((one) => `${one}\n`).join("")],
      fds: oom === undefined ? [directory] : [directory, oom],
    });
  }

  /** Recorded ends after the number `since` are told from now on: {@linkcode nextEnd}. */
  async subscribe(since: bigint): Promise<EndedRange> {
    const request = { operation: Operation.subscribe, fields: [since] };
    const { fields } = await this.connection.ask("subscribe to ends", request);
    return { oldest: fields.getBigUint64(0, true), newest: fields.getBigUint64(8, true) };
  }

  /** The next recorded end, after {@linkcode subscribe}. */
  async nextEnd(): Promise<Ended> {
    return await this.connection.nextEnd();
  }

  /**
   * Makes room for a terminal beside that of init; gives a socket for its master, which is the caller's
   * to close.
   */
  async terminal(name: string): Promise<number> {
    const request = { operation: Operation.terminal, texts: [name] };
    return (await this.connection.ask(`make terminal ${quote(name)}`, request)).fds[0]!;
  }

  /** It holds these descriptors instead of those before; gives their numbers there. */
  async hold(fds: readonly number[]): Promise<number[]> {
    const request = { operation: Operation.hold, fds };
    return decodeHeld((await this.connection.ask("hold descriptors", request)).fields);
  }

  /** Output from now on; with `replay` first the last of what a terminal showed. EBUSY: see `exclusive`. */
  async attach(name: string, options: AttachFlags): Promise<Attachment> {
    const flags = (options.stdin ? AttachFlag.stdin : 0) |
      (options.replay ? AttachFlag.replay : 0) | (options.exclusive ? AttachFlag.exclusive : 0);
    const request = { operation: Operation.attach, fields: [flags], texts: [name] };
    const { fds } = await this.connection.ask(`attach to ${quote(name)}`, request);
    return new Attachment(this.helper, this.calls, fds[0]!);
  }

  /** The same for a terminal of ours, which gets what it shows and has its input from now on. */
  async attachTerminal(name: string, fd: number): Promise<void> {
    const fields = [AttachFlag.stdin | AttachFlag.replay | AttachFlag.exclusive];
    const request = { operation: Operation.attach, fields, texts: [name], fds: [fd] };
    await this.connection.ask(`attach a terminal to ${quote(name)}`, request);
  }

  /** So many bytes of what a terminal shows are kept for whoever attaches. */
  async keep(name: string, bytes: number): Promise<void> {
    const request = { operation: Operation.keep, fields: [bytes], texts: [name] };
    await this.connection.ask(`keep what ${quote(name)} shows`, request);
  }

  /** ENOTTY without a terminal. */
  async resize(name: string, width: number, height: number): Promise<void> {
    const request = { operation: Operation.resize, fields: [width, height], texts: [name] };
    await this.connection.ask(`resize the terminal of ${quote(name)}`, request);
  }

  /** The program finds the end of its input. */
  async closeStdin(name: string): Promise<void> {
    const request = { operation: Operation.closeStdin, texts: [name] };
    await this.connection.ask(`close the input of ${quote(name)}`, request);
  }

  /** The command is run on the end of this process, too. EOPNOTSUPP: the monitor is of an older build. */
  async onEnd(name: string): Promise<void> {
    const request = { operation: Operation.onEnd, texts: [name] };
    await this.connection.ask(`call on the end of ${quote(name)}`, request);
  }

  /** The log's path is opened anew. */
  async reopenLog(name: string): Promise<void> {
    const request = { operation: Operation.reopenLog, texts: [name] };
    await this.connection.ask(`reopen the log of ${quote(name)}`, request);
  }

  async status(): Promise<MonitorStatus> {
    const request = { operation: Operation.status };
    return decodeStatus((await this.connection.ask("ask the monitor's status", request)).fields);
  }

  /** What is run on every end of `init`, and when it is to wake somebody; undefined: nothing. */
  async command(command: Command | undefined): Promise<void> {
    const file = command && this.calls.sealedFile("runts-command", encodeCommand(command));
    const request = { operation: Operation.command, fds: file === undefined ? [] : [file] };
    try {
      await this.connection.ask("set the command of the monitor", request);
    } finally {
      if (file !== undefined) this.helper.close(file);
    }
  }

  /** Runs the command in so many ms; 0: not any more. */
  async wake(ms: number): Promise<void> {
    const request = { operation: Operation.wake, fields: [BigInt(Math.ceil(ms))] };
    await this.connection.ask("set a time to wake", request);
  }

  /** The monitor ends once it has no child any more. */
  async leave(): Promise<void> {
    await this.connection.ask("let the monitor end", { operation: Operation.leave });
  }

  /** Descriptors for the next spawn, by place. */
  async #handOver(places: readonly (readonly [place: number, fd: number])[]): Promise<void> {
    const given = places.filter(([, fd]) => fd >= 0);
    const batches: Promise<unknown>[] = [];
    for (let at = 0; at < given.length; at += BodyMax.fds) {
      const batch = given.slice(at, at + BodyMax.fds);
      batches.push(this.connection.ask("hand descriptors over", {
        operation: Operation.fds,
        fields: batch.map(([place]) => place),
        fds: batch.map(([, fd]) => fd),
      }));
    }
    await Promise.all(batches);
  }

  /** Closes the connection; the monitor stays. */
  [Symbol.dispose](): void {
    this.connection[Symbol.dispose]();
  }
}

function stdioNumber(stdio: MonitorStdio): number {
  if (stdio.kind !== "pipes") return BodyStdio[stdio.kind];
  return stdio.input ? BodyStdio.input : BodyStdio.pipes;
}
